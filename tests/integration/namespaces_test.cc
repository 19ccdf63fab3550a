// What a list of namespaces means on a real API server: work and rights there, none elsewhere.
#include <catch2/catch.hpp>

#include "tests/integration/scoped_installation.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json Service(const std::string& name, const json& spec) {
  json service = {{"apiVersion", "shm-operator.dev/v1alpha1"},
                  {"kind", "InferenceService"},
                  {"metadata", {{"name", name}}},
                  {"spec", spec}};
  service["spec"]["tensorParallelSize"] = 2;
  return service;
}

json Owning(const std::string& name) {
  return Service(name, json::parse(R"({"template": {"spec": {"containers": [
                           {"name": "engine", "image": "example/engine"}]}}})"));
}

json Pod(const std::string& name, const json& labels) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", labels}}},
          {"spec", {{"containers", {{{"name", "engine"}, {"image", "example/engine"}}}}}}};
}

bool Reconciled(const ScopedInstallation& scoped, const std::string& ns, const std::string& name) {
  return scoped.Get(ns, "inferenceservices.shm-operator.dev " + name).contains("status") &&
         !scoped.Get(ns, "deployment " + name).is_null();
}

// A pod of a ReplicaSet's that came before the webhook did, and counts as running.
void AddOldPod(const ScopedInstallation& scoped, const std::string& ns) {
  const json labels = {{"app", "engine"}};
  scoped.Must(
      ns, "create -f -",
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"metadata", {{"name", "engine"}}},
       {"spec",
        {{"replicas", 0},
         {"selector", {{"matchLabels", labels}}},
         {"template", {{"metadata", {{"labels", labels}}}, {"spec", Pod("x", labels)["spec"]}}}}}});
  json pod = Pod("old", labels);
  pod["metadata"]["ownerReferences"] = {
      {{"apiVersion", "apps/v1"},
       {"kind", "ReplicaSet"},
       {"name", "engine"},
       {"uid", scoped.Get(ns, "replicaset engine")["metadata"]["uid"]},
       {"controller", true}}};
  scoped.Must(ns, "create -f -", pod);
  scoped.Must(
      ns, R"(patch pod old --subresource=status --type=merge -p '{"status":{"phase":"Running"}}')");
}

void CheckNothingWasRefused(const ScopedInstallation& scoped) {
  for (const char* name : {kOperator, kWebhook}) {
    const std::string metrics = scoped.Metrics(name);
    INFO(name << "\n" << metrics << scoped.Logs());
    CHECK_THAT(metrics, Catch::Contains("rest_client_requests_total{code=\"200\"") &&
                            !Catch::Contains("code=\"403\"") && !Catch::Contains("code=\"401\""));
    CHECK_THAT(metrics, Catch::Contains("_watches_refused 0\n"));
  }
}

}  // namespace

TEST_CASE(
    "with rights to two namespaces both programs do all of their work there, and none elsewhere") {
  ScopedInstallation scoped;
  for (const char* ns : {kOne, kOther}) AddOldPod(scoped, ns);
  scoped.Install();
  scoped.Start();
  for (const char* ns : {kOne, kOther}) {
    scoped.Must(ns, "create -f -", Owning("own"));
    scoped.Must(ns, "create -f -",
                Service("selecting", {{"repair", "Restart"},
                                      {"selector", {{"matchLabels", {{"app", "engine"}}}}}}));
  }
  scoped.Must(kTwo, "create -f -", Owning("second"));

  CHECK(Eventually(seconds(20), [&] { return Reconciled(scoped, kOne, "own"); }));
  CHECK(Eventually(seconds(20), [&] { return Reconciled(scoped, kTwo, "second"); }));
  const json pod = Pod("p", {{"shm-operator.dev/service", "own"}});
  const ShellResult sized = scoped.Try(kOne, "create -f -", pod);
  CHECK(sized.exit_code == 0);
  CHECK(scoped.Get(kOne, "pod p")["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "2Gi");
  // Its copy is created in a dry run, and comes back sized.
  const bool evicted =
      Eventually(seconds(60), [&] { return scoped.Get(kOne, "pod old").is_null(); });
  INFO(scoped.Get(kOne, "inferenceservices.shm-operator.dev selecting").dump(2) << scoped.Logs());
  CHECK(evicted);
  CHECK(Eventually(seconds(10), [&] {
    return !scoped.Get(kOne, "events --field-selector reason=Evicted")["items"].empty();
  }));

  CHECK(scoped.Try(kOther, "create -f -", pod).exit_code == 0);
  CHECK_FALSE(scoped.Get(kOther, "pod p")["spec"].contains("volumes"));
  CHECK_FALSE(scoped.Get(kOther, "pod old").is_null());
  CHECK(scoped.Get(kOther, "deployments")["items"].empty());
  const json others = scoped.Get(kOther, "inferenceservices.shm-operator.dev");
  for (const json& service : others["items"]) {
    CHECK_FALSE(service.contains("status"));
  }
  // Its own Deployment was found, which a right to that alone allows.
  for (const char* what : {"lease sized", "secret sized-ca", "secret sized-webhook-tls"}) {
    CAPTURE(what);
    CHECK(scoped.Get(kOwn, what)["metadata"]["ownerReferences"][0]["name"] == "sized");
  }
  CheckNothingWasRefused(scoped);
}

TEST_CASE("rights to two namespaces are rights to these alone") {
  ScopedInstallation scoped;
  scoped.Install();
  struct Row {
    const char* account;
    const char* verb;
    std::string resource;
    std::string where;
    bool may;
  };
  const std::string one = std::string("-n ") + kOne;
  const std::string other = std::string("-n ") + kOther;
  const std::string own = std::string("-n ") + kOwn;
  const Row rows[] = {
      {kOperator, "watch", "inferenceservices.shm-operator.dev", one, true},
      {kOperator, "watch", "inferenceservices.shm-operator.dev", other, false},
      {kOperator, "watch", "inferenceservices.shm-operator.dev", "-A", false},
      {kOperator, "create", "deployments.apps", one, true},
      {kOperator, "create", "deployments.apps", other, false},
      {kOperator, "create", "pods/eviction", one, true},
      {kOperator, "create", "pods/eviction", other, false},
      {kOperator, "list", "pods", other, false},
      {kOperator, "get", "secrets", one, false},
      {kOperator, "watch", "namespaces", "", false},
      {kOperator, "watch", std::string("namespaces/") + kOne, "", true},
      {kOperator, "watch", std::string("namespaces/") + kOther, "", false},
      // Before an old authority goes, the webhook's replicas are asked what they serve.
      {kOperator, "list", "pods", own, true},
      {kOperator, "get", "services/sized-webhook", own, true},
      {kOperator, "create", "deployments.apps", own, false},
      {kWebhook, "watch", "inferenceservices.shm-operator.dev", one, true},
      {kWebhook, "watch", "inferenceservices.shm-operator.dev", other, false},
      {kWebhook, "watch", std::string("namespaces/") + kTwo, "", true},
      {kWebhook, "watch", "namespaces", "", false},
      {kWebhook, "list", "pods", one, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.account, row.verb, row.resource, row.where);
    CHECK(scoped.May(row.account, row.verb, row.resource, row.where) == row.may);
  }
}

TEST_CASE(
    "a namespace that it may not look at holds up none of the others, and is taken up later") {
  ScopedInstallation scoped;
  scoped.Install();
  scoped.Must(kTwo, "delete rolebinding sized sized-webhook");
  scoped.Must(kTwo, "create -f -", Owning("late"));
  scoped.Must(kOne, "create -f -", Owning("own"));
  scoped.Start();
  CHECK(Eventually(seconds(20), [&] { return Reconciled(scoped, kOne, "own"); }));
  CHECK(scoped.Get(kTwo, "deployments")["items"].empty());
  CHECK_THAT(scoped.Metrics(kOperator), Catch::Contains("shm_operator_watches_refused 6\n"));
  CHECK_THAT(scoped.Metrics(kWebhook), Catch::Contains("shm_webhook_watches_refused 1\n"));
  // Nothing is denied for what cannot be known.
  CHECK(scoped.Try(kTwo, "create -f -", Pod("p", {{"shm-operator.dev/service", "unknown"}}))
            .exit_code == 0);

  scoped.ApplyBindings(kTwo);
  const bool reconciled = Eventually(seconds(90), [&] { return Reconciled(scoped, kTwo, "late"); });
  INFO(scoped.Logs());
  CHECK(reconciled);
  CHECK(Eventually(seconds(60), [&] {
    return scoped.Metrics(kOperator).find("shm_operator_watches_refused 0\n") !=
               std::string::npos &&
           scoped.Metrics(kWebhook).find("shm_webhook_watches_refused 0\n") != std::string::npos;
  }));
}

TEST_CASE(
    "the own namespace and kube-system are refused with a message, by both programs and the "
    "chart") {
  for (const char* program : {"shm-operator", "shm-webhook"}) {
    const std::string command = std::string(SHM_BINARY_DIR "/bin/") + program +
                                " --kubeconfig $KUBECONFIG --namespace " + kOwn +
                                " --watch-namespaces ";
    const ShellResult own = Shell(command + "a," + kOwn);
    CHECK(own.exit_code == 2);
    CHECK_THAT(own.output, Catch::Contains("watchNamespaces") && Catch::Contains(kOwn));
    const ShellResult system = Shell(command + "a,kube-system");
    CHECK(system.exit_code == 2);
    CHECK_THAT(system.output, Catch::Contains("kube-system"));
  }
  for (const char* name : {kOwn, "kube-system"}) {
    const ShellResult chart =
        Shell("$(tests/cluster/build.sh helm)/helm template sized charts/shm-operator -n " +
              std::string(kOwn) + " --set 'watchNamespaces={a," + name + "}'");
    CHECK(chart.exit_code != 0);
    CHECK_THAT(chart.output, Catch::Contains(name) && Catch::Contains("never sized"));
  }
}

}  // namespace shm::test
