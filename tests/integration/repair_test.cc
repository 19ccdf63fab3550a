// Which pods are evicted on a real API server, with the real webhook. Nothing runs pods here and no
// controller makes others, so a pod's owner is a ReplicaSet that nobody acts on, and its phase is
// what the test writes.
#include <catch2/catch.hpp>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// The operator looks for ten seconds before it evicts anything.
constexpr seconds kLong{45};

json Pod(const std::string& name, const json& owners = json::array()) {
  return {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", {{"name", name}, {"labels", {{"app", "engine"}}}, {"ownerReferences", owners}}},
      {"spec", {{"containers", {{{"name", "engine"}, {"image", "example/engine"}}}}}}};
}

// A namespace with pods that came before its webhook did.
class Drift {
 public:
  explicit Drift(const std::string& prefix) : ns_(NewNamespace(prefix)) {
    Installation::Get();
    Must("create -f -",
         {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata", {{"name", "engine"}}},
          {"spec",
           {{"replicas", 0},
            {"selector", {{"matchLabels", {{"app", "engine"}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", "engine"}}}}}, {"spec", Pod("x")["spec"]}}}}}});
  }

  // Running, as far as the API server knows: it evicts pending pods whatever a budget says.
  void AddPod(const std::string& name, bool owned) {
    json owners = json::array();
    if (owned) {
      owners.push_back({{"apiVersion", "apps/v1"},
                        {"kind", "ReplicaSet"},
                        {"name", "engine"},
                        {"uid", Get("replicaset engine")["metadata"]["uid"]},
                        {"controller", true},
                        {"blockOwnerDeletion", true}});
    }
    Must("create -f -", Pod(name, owners));
    PatchStatus("pod " + name, {{"phase", "Running"}});
  }

  void PatchStatus(const std::string& what, const json& status) {
    Cluster().Must("-n " + ns_ + " patch " + what + " --subresource=status --type=merge -p '" +
                   json{{"status", status}}.dump() + "'");
  }

  void SetReady(const std::string& pod) {
    PatchStatus("pod " + pod, {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}});
  }

  void Enable() {
    Cluster().Must("label namespace " + ns_ + " shm-operator.dev/injection=enabled");
  }

  void AddService(const std::string& repair) {
    ApplyInferenceService(ns_, "sel",
                          {{"tensorParallelSize", 2},
                           {"repair", repair},
                           {"selector", {{"matchLabels", {{"app", "engine"}}}}}});
  }

  std::string On(const std::string& command) const { return "-n " + ns_ + " " + command; }
  void Must(const std::string& command, const json& object) {
    Cluster().Must(On(command), object.dump());
  }
  json Get(const std::string& what) { return Cluster().Get("-n " + ns_ + " " + what); }
  bool There(const std::string& pod) { return !Get("pod " + pod).is_null(); }

  // Of the condition, its reason; or of the InferenceService's counts, one.
  std::string Reason(const std::string& type) {
    for (const json& condition :
         Service().value("/status/conditions"_json_pointer, json::array())) {
      if (condition.value("type", "") == type) return condition.value("reason", "");
    }
    return "";
  }
  int Counted(const std::string& what) {
    return Service().value(json::json_pointer("/status/sharedMemory/" + what), -1);
  }
  bool HasEvent(const std::string& reason) {
    const json events = Get("events --field-selector reason=" + reason);
    return !events.is_null() && !events["items"].empty();
  }
  bool WaitForRepaired(const std::string& reason) {
    return Eventually(kLong, [&] { return Reason("Repaired") == reason; });
  }

 private:
  json Service() {
    const json service = Get("inferenceservices.shm-operator.dev sel");
    return service.is_null() ? json::object() : service;
  }

  const std::string ns_;
};

}  // namespace

TEST_CASE("a controller's pod that came before the webhook is evicted; one of nobody's is not") {
  Drift drift("repair");
  drift.AddPod("owned", true);
  drift.AddPod("bare", false);
  drift.Enable();
  drift.AddService("Restart");
  REQUIRE(Eventually(seconds(10), [&] { return drift.Counted("unsized") == 2; }));
  CHECK(drift.Reason("SharedMemoryReady") == "PodsUnsized");
  CHECK(Eventually(seconds(10), [&] { return drift.HasEvent("PodsUnsized"); }));
  const bool evicted = Eventually(kLong, [&] { return !drift.There("owned"); });
  INFO(drift.Get("inferenceservices.shm-operator.dev sel").dump(2) << Installation::Get().Logs());
  CHECK(evicted);
  CHECK(Eventually(seconds(10), [&] { return drift.HasEvent("Evicted"); }));
  // Nobody makes the successor, so the next is not even looked at; the bare pod outlives all of it.
  CHECK(drift.WaitForRepaired("Replacing"));
  CHECK(drift.There("bare"));
}

TEST_CASE("the next pod goes when the successor of the last is ready") {
  Drift drift("repair-next");
  drift.AddPod("a", true);
  drift.AddPod("b", true);
  drift.Enable();
  drift.AddService("Restart");
  REQUIRE(Eventually(kLong, [&] { return !drift.There("a"); }));
  CHECK(drift.WaitForRepaired("Replacing"));
  CHECK(drift.There("b"));
  drift.AddPod("successor", true);
  CHECK(drift.Get("pod successor")["metadata"]["labels"]["shm-operator.dev/injected"] == "true");
  CHECK(drift.There("b"));
  drift.SetReady("successor");
  const bool evicted = Eventually(kLong, [&] { return !drift.There("b"); });
  INFO(drift.Get("inferenceservices.shm-operator.dev sel").dump(2) << Installation::Get().Logs());
  CHECK(evicted);
  CHECK(drift.There("successor"));
}

TEST_CASE("a pod that is tied by label, and was not when it was made, is evicted") {
  Drift drift("repair-tied");
  drift.AddPod("owned", true);
  drift.AddPod("opted-out", true);
  Cluster().Must(drift.On("label pod owned opted-out shm-operator.dev/service=tied"));
  Cluster().Must(drift.On("label pod opted-out shm-operator.dev/inject=false"));
  drift.Must("apply --server-side -f -", json::parse(R"({
      "apiVersion": "shm-operator.dev/v1alpha1", "kind": "InferenceService",
      "metadata": {"name": "tied"},
      "spec": {"tensorParallelSize": 2, "repair": "Restart", "template": {"spec": {
          "containers": [{"name": "engine", "image": "example/engine"}]}}}})"));
  const bool evicted = Eventually(kLong, [&] { return !drift.There("owned"); });
  INFO(drift.Get("inferenceservices.shm-operator.dev tied").dump(2) << Installation::Get().Logs());
  CHECK(evicted);
  CHECK(drift.There("opted-out"));
}

TEST_CASE("pods of nobody's are reported, and stay") {
  Drift drift("repair-bare");
  drift.AddPod("bare", false);
  drift.Enable();
  drift.AddService("Restart");
  CHECK(drift.WaitForRepaired("NotReplaceable"));
  CHECK(drift.There("bare"));
}

TEST_CASE("what a PodDisruptionBudget forbids is not done, and the status says so") {
  Drift drift("repair-budget");
  drift.AddPod("owned", true);
  drift.SetReady("owned");  // a budget does not hold up those that are not
  drift.Must(
      "create -f -",
      {{"apiVersion", "policy/v1"},
       {"kind", "PodDisruptionBudget"},
       {"metadata", {{"name", "engine"}}},
       {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", "engine"}}}}}}}});
  drift.PatchStatus("poddisruptionbudget engine", {{"observedGeneration", 1},
                                                   {"disruptionsAllowed", 0},
                                                   {"currentHealthy", 1},
                                                   {"desiredHealthy", 1},
                                                   {"expectedPods", 1}});
  drift.Enable();
  drift.AddService("Restart");
  CHECK(drift.WaitForRepaired("DisruptionBudget"));
  CHECK(Eventually(seconds(10), [&] { return drift.HasEvent("DisruptionBudget"); }));
  CHECK(drift.There("owned"));
  // It may go now: tried again without anything having changed that we watch.
  drift.PatchStatus("poddisruptionbudget engine", {{"disruptionsAllowed", 1}});
  CHECK(Eventually(seconds(60), [&] { return !drift.There("owned"); }));
}

TEST_CASE("where the webhook does not come to a pod's copy, nothing is evicted") {
  Drift drift("repair-dry");
  drift.AddPod("owned", true);
  // The namespace is enabled, but something keeps the API server from asking the webhook.
  drift.Enable();
  Cluster().Must(R"SH(patch mutatingwebhookconfiguration shm-operator --type=json -p '
      [{"op": "add", "path": "/webhooks/1/matchConditions/-",
        "value": {"name": "not-in-this-test",
                  "expression": "!request.namespace.startsWith(\"repair-dry\")"}}]')SH");
  drift.AddService("Restart");
  CHECK(drift.WaitForRepaired("DryRunNotInjected"));
  CHECK(Eventually(seconds(10), [&] { return drift.HasEvent("DryRunNotInjected"); }));
  CHECK(drift.There("owned"));
}

TEST_CASE("in a namespace that is not enabled nothing is evicted") {
  Drift drift("repair-closed");
  drift.AddPod("owned", true);
  drift.AddService("Restart");
  CHECK(Eventually(seconds(15),
                   [&] { return drift.Reason("SharedMemoryReady") == "NamespaceNotEnabled"; }));
  CHECK_FALSE(Eventually(seconds(15), [&] { return !drift.There("owned"); }));
}

TEST_CASE("repair Report counts, and evicts nothing") {
  Drift drift("repair-report");
  drift.AddPod("owned", true);
  drift.Enable();
  drift.AddService("Report");
  CHECK(Eventually(seconds(15), [&] { return drift.Counted("unsized") == 1; }));
  CHECK(drift.Reason("Repaired").empty());
  CHECK_FALSE(Eventually(seconds(15), [&] { return !drift.There("owned"); }));
}

}  // namespace shm::test
