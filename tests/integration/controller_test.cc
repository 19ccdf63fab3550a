// What the operator makes of InferenceServices, on a real API server. No controller of Kubernetes
// runs here, so Deployments have no pods: those are the business of the end-to-end tests.
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kKind = "inferenceservices.shm-operator.dev";

json Template(int degree) {
  return {{"tensorParallelSize", degree},
          {"template",
           {{"spec",
             {{"containers", json::array({{{"name", "engine"}, {"image", "example/engine"}}})}}}}}};
}

json Get(const std::string& ns, const std::string& what) {
  return Cluster().Get("-n " + ns + " " + what);
}

std::string Condition(const json& object, const std::string& type, const std::string& field) {
  for (const json& condition : object.value("/status/conditions"_json_pointer, json::array())) {
    if (condition.value("type", "") == type) return condition.value(field, "");
  }
  return "";
}

std::string ReadyReason(const std::string& ns, const std::string& name) {
  return Condition(Get(ns, std::string(kKind) + " " + name), "Ready", "reason");
}

json WaitForDeployment(const std::string& ns, const std::string& name) {
  json deployment;
  const bool there = Eventually(
      seconds(15), [&] { return !(deployment = Get(ns, "deployment " + name)).is_null(); });
  INFO(Installation::Get().Logs());
  REQUIRE(there);
  return deployment;
}

json PodAnnotations(const json& deployment) {
  if (deployment.is_null()) return json::object();
  return deployment["spec"]["template"]["metadata"].value("annotations", json::object());
}

}  // namespace

TEST_CASE("a template becomes a Deployment and a Service that it owns, stamped with its numbers") {
  Installation::Get();
  const std::string ns = NewNamespace("children");
  ApplyInferenceService(ns, "qwen", Template(2));
  const json deployment = WaitForDeployment(ns, "qwen");
  INFO(deployment.dump(2));
  CHECK(deployment["metadata"]["ownerReferences"][0]["name"] == "qwen");
  CHECK(deployment["metadata"]["ownerReferences"][0]["controller"] == true);
  CHECK(deployment["spec"]["template"]["metadata"]["labels"]["shm-operator.dev/service"] == "qwen");
  CHECK(PodAnnotations(deployment)["shm-operator.dev/shm-size"] == "2Gi");
  CHECK(PodAnnotations(deployment)["shm-operator.dev/gpu-count"] == "2");
  CHECK(deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0);
  json service;
  REQUIRE(Eventually(seconds(10), [&] { return !(service = Get(ns, "service qwen")).is_null(); }));
  CHECK(service["metadata"]["ownerReferences"][0]["name"] == "qwen");
  CHECK(service["spec"]["ports"][0]["name"] == "http");
  CHECK(service["spec"]["ports"][0]["port"] == 8000);
}

TEST_CASE("a changed TP is stamped anew, and the status follows the generation") {
  Installation::Get();
  const std::string ns = NewNamespace("changed");
  ApplyInferenceService(ns, "qwen", Template(2));
  WaitForDeployment(ns, "qwen");
  ApplyInferenceService(ns, "qwen", Template(4));
  CHECK(Eventually(seconds(10), [&] {
    return PodAnnotations(Get(ns, "deployment qwen")).value("shm-operator.dev/shm-size", "") ==
           "4Gi";
  }));
  CHECK(Eventually(seconds(10), [&] {
    const json object = Get(ns, std::string(kKind) + " qwen");
    return object.contains("status") &&
           object["status"]["observedGeneration"] == object["metadata"]["generation"] &&
           object["status"]["sharedMemory"]["size"] == "4Gi";
  }));
}

TEST_CASE("a typo inside template.spec is TemplateInvalid, and mending it heals") {
  Installation::Get();
  const std::string ns = NewNamespace("typo");
  json spec = Template(2);
  spec["template"]["spec"]["containers"][0]["imagePullPolice"] = "Never";
  ApplyInferenceService(ns, "typo", spec);
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "typo") == "TemplateInvalid"; }));
  CHECK_THAT(Condition(Get(ns, std::string(kKind) + " typo"), "Ready", "message"),
             Catch::Contains("imagePullPolice"));
  ApplyInferenceService(ns, "typo", Template(2));
  WaitForDeployment(ns, "typo");
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "typo") == "Progressing"; }));
}

TEST_CASE("drift of a child is repaired") {
  Installation::Get();
  const std::string ns = NewNamespace("drift");
  ApplyInferenceService(ns, "qwen", Template(2));
  WaitForDeployment(ns, "qwen");
  Cluster().Must("-n " + ns +
                 R"( patch deployment qwen --type=merge -p '{"spec":{"replicas":7}}')");
  CHECK(
      Eventually(seconds(10), [&] { return Get(ns, "deployment qwen")["spec"]["replicas"] == 1; }));
  Cluster().Must("-n " + ns + " delete deployment qwen");
  WaitForDeployment(ns, "qwen");
}

TEST_CASE("drift that an apply alone cannot undo is repaired") {
  Installation::Get();
  const std::string ns = NewNamespace("stubborn");
  json spec = Template(2);
  spec["strategy"] = {{"type", "RollingUpdate"}};  // the API server adds its defaults
  ApplyInferenceService(ns, "qwen", spec);
  WaitForDeployment(ns, "qwen");
  REQUIRE(Eventually(seconds(10), [&] { return !Get(ns, "service qwen").is_null(); }));

  // Ports merge by their numbers: beside this one, ours would be a second `http`.
  Cluster().Must(
      "-n " + ns +
      R"( patch service qwen --type=merge -p '{"spec":{"ports":[{"name":"http","port":7}]}}')");
  CHECK(Eventually(seconds(10), [&] {
    const json ports = Get(ns, "service qwen")["spec"]["ports"];
    return ports.size() == 1 && ports[0]["port"] == 8000;
  }));
  // Recreate goes with no rolling update.
  spec["strategy"] = {{"type", "Recreate"}};
  ApplyInferenceService(ns, "qwen", spec);
  CHECK(Eventually(seconds(10), [&] {
    return Get(ns, "deployment qwen")["spec"]["strategy"] == json{{"type", "Recreate"}};
  }));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "qwen") == "Progressing"; }));
}

TEST_CASE("a stamped number that somebody changed or removed is stamped again") {
  Installation::Get();
  const std::string ns = NewNamespace("stamp");
  ApplyInferenceService(ns, "qwen", Template(2));
  const json stamped = PodAnnotations(WaitForDeployment(ns, "qwen"));
  for (const char* name : {"shm-operator.dev/shm-size", "shm-operator.dev/gpu-count",
                           "shm-operator.dev/tensor-parallel-size"}) {
    REQUIRE(stamped.contains(name));
    for (const char* tampered : {"\"1\"", "null"}) {
      INFO(name << " " << tampered);
      Cluster().Must("-n " + ns + " patch deployment qwen --type=merge -p '" +
                     R"({"spec":{"template":{"metadata":{"annotations":{")" + name +
                     "\":" + tampered + "}}}}}'");
      CHECK(Eventually(seconds(10),
                       [&] { return PodAnnotations(Get(ns, "deployment qwen")) == stamped; }));
    }
  }
}

TEST_CASE("a Deployment of that name which is not ours is left alone, and said") {
  Installation::Get();
  const std::string ns = NewNamespace("taken");
  Cluster().Must("-n " + ns + " create deployment qwen --image=example/other");
  const json before = Get(ns, "deployment qwen");
  ApplyInferenceService(ns, "qwen", Template(2));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "qwen") == "NameTaken"; }));
  CHECK(Get(ns, "deployment qwen")["spec"] == before["spec"]);
}

TEST_CASE("a younger selector that an older one covers is a Conflict") {
  Installation::Get();
  const std::string ns = NewNamespace("overlap", /*enabled=*/true);
  const auto select = [](const json& labels) {
    return json{{"tensorParallelSize", 2}, {"selector", {{"matchLabels", labels}}}};
  };
  // Creation times are whole seconds; of one second the first by name counts as older.
  ApplyInferenceService(ns, "a-wide", select({{"app", "x"}}));
  ApplyInferenceService(ns, "b-within", select({{"app", "x"}, {"tier", "y"}}));
  ApplyInferenceService(ns, "c-beside", select({{"tier", "y"}}));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "b-within") == "Conflict"; }));
  CHECK_THAT(Condition(Get(ns, std::string(kKind) + " b-within"), "SharedMemoryReady", "message"),
             Catch::Contains("a-wide"));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "a-wide") == "NoPods"; }));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "c-beside") == "NoPods"; }));
}

TEST_CASE("selectors that only a pod shows to overlap are a Conflict once it is there") {
  Installation::Get();
  const std::string ns = NewNamespace("shared", /*enabled=*/true);
  ApplyInferenceService(
      ns, "a-app", {{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"app", "x"}}}}}});
  ApplyInferenceService(
      ns, "b-tier", {{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"tier", "y"}}}}}});
  REQUIRE(Eventually(seconds(10), [&] { return ReadyReason(ns, "b-tier") == "NoPods"; }));
  const json gpus = {{"limits", {{"nvidia.com/gpu", "2"}}}};
  const json engine = {{"name", "engine"}, {"image", "example/engine"}, {"resources", gpus}};
  Cluster().Must("-n " + ns + " create -f -",
                 json({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", {{"name", "both"}, {"labels", {{"app", "x"}, {"tier", "y"}}}}},
                       {"spec", {{"containers", json::array({engine})}}}})
                     .dump());
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "b-tier") == "Conflict"; }));
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "a-app") == "Sized"; }));
}

TEST_CASE("a selector in a namespace that is not enabled says which command enables it") {
  Installation::Get();
  const std::string ns = NewNamespace("closed");
  ApplyInferenceService(
      ns, "sel", {{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"app", "x"}}}}}});
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "sel") == "NamespaceNotEnabled"; }));
  CHECK_THAT(
      Condition(Get(ns, std::string(kKind) + " sel"), "SharedMemoryReady", "message"),
      Catch::Contains("kubectl label namespace " + ns + " shm-operator.dev/injection=enabled"));
  Cluster().Must("label namespace " + ns + " shm-operator.dev/injection=enabled");
  CHECK(Eventually(seconds(10), [&] { return ReadyReason(ns, "sel") == "NoPods"; }));
}

TEST_CASE("killed with -9, the operator takes up its work where it stood") {
  Installation& installation = Installation::Get();
  const std::string ns = NewNamespace("killed");
  ApplyInferenceService(ns, "before", Template(2));
  WaitForDeployment(ns, "before");
  installation.operator_process().Signal(SIGKILL);
  installation.operator_process().Wait();
  ApplyInferenceService(ns, "meanwhile", Template(4));
  ApplyInferenceService(ns, "before", Template(8));
  installation.StartOperator();
  const bool caught_up = Eventually(seconds(30), [&] {
    return PodAnnotations(Get(ns, "deployment meanwhile")).value("shm-operator.dev/shm-size", "") ==
               "4Gi" &&
           PodAnnotations(Get(ns, "deployment before")).value("shm-operator.dev/shm-size", "") ==
               "8Gi";
  });
  INFO(installation.Logs());
  CHECK(caught_up);
}

TEST_CASE(
    "W6: when the leader is killed with -9, the other replica leads after the lease's duration") {
  Installation& installation = Installation::Get();
  const int port = FreePort();
  const auto leads = [](int health_port) {
    return Shell("curl -sf http://127.0.0.1:" + std::to_string(health_port) +
                 "/metrics | grep '^leader_election_master_status.* 1$'")
               .exit_code == 0;
  };
  REQUIRE(Eventually(seconds(30), [&] { return leads(installation.operator_health_port()); }));
  const std::unique_ptr<Process> second = installation.StartReplica(port);
  REQUIRE(Eventually(seconds(30), [&] {
    return Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + "/readyz").exit_code == 0;
  }));
  CHECK_FALSE(leads(port));
  installation.operator_process().Signal(SIGKILL);
  installation.operator_process().Wait();
  // The lease's 15 s from its last renewal, and a try every 2 s.
  CHECK(Eventually(seconds(20), [&] { return leads(port); }));
  const std::string ns = NewNamespace("successor");
  ApplyInferenceService(ns, "qwen", Template(2));
  WaitForDeployment(ns, "qwen");
  installation.StartOperator();
  second->Signal(SIGTERM);
  CHECK(second->Wait() == 0);
  // It released the lease, so nobody waits for its end.
  CHECK(Eventually(seconds(10), [&] { return leads(installation.operator_health_port()); }));
}

TEST_CASE("a quiet cluster sees no write but the lease") {
  Installation::Get();
  const std::string ns = NewNamespace("quiet");
  ApplyInferenceService(ns, "qwen", Template(2));
  WaitForDeployment(ns, "qwen");
  REQUIRE(Eventually(seconds(10), [&] { return ReadyReason(ns, "qwen") == "Progressing"; }));
  const auto versions = [&] {
    return Cluster().Must(
        "get shmisvc,deployments,services,secrets,mutatingwebhookconfigurations -A -o "
        "jsonpath='{range .items[*]}{.metadata.uid}={.metadata.resourceVersion} {end}'");
  };
  // Quiet is a state to be reached, then to be kept for as long as the reconciler may take to wake.
  std::string before;
  REQUIRE(Eventually(seconds(20), [&] {
    const std::string now = versions();
    const bool same = now == before;
    before = now;
    return same;
  }));
  CHECK_FALSE(Eventually(seconds(5), [&] { return versions() != before; }));
}

}  // namespace shm::test
