// An installation that watches some namespaces alone, on an API server of its own: the chart's
// manifests as Helm renders them, and both programs with tokens of the service accounts that these
// make, so that they have the rights of the chart's Roles and no others.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/shell.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kOwn = "sized-system";
constexpr const char* kOne = "team-one";
constexpr const char* kTwo = "team-two";
constexpr const char* kOther = "elsewhere";

// An API server that ends with the object, and with this process.
class Server {
 public:
  Server()
      : process_(
            {SHM_SOURCE_DIR "/tests/cluster/apiserver", "run", state(), "--", "sleep", "infinity"},
            dir_.path() + "/server.log") {
    const bool up = Eventually(seconds(90), [this] {
      return Shell("kubectl --kubeconfig " + kubeconfig() + " get --raw /readyz").exit_code == 0;
    });
    INFO(Shell("cat " + dir_.path() + "/server.log").output);
    REQUIRE(up);
  }
  std::string state() const { return dir_.path() + "/server"; }
  std::string kubeconfig() const { return state() + "/kubeconfig"; }
  const std::string& dir() const { return dir_.path(); }

 private:
  TempDir dir_;
  Process process_;
};

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

// The installation. Its programs start when the test says so.
class Scoped {
 public:
  Scoped() : kubectl_(server_.kubeconfig()), webhook_port_(FreePort()) {
    for (const char* name : {kOwn, kOne, kTwo, kOther})
      kubectl_.Must(std::string("create namespace ") + name);
    kubectl_.Must(std::string("label namespace ") + kOne + " " + kOther +
                  " shm-operator.dev/injection=enabled");
    kubectl_.Must("apply --server-side -f crds");
    kubectl_.Must("wait --for=condition=Established crd/inferenceservices.shm-operator.dev");
    std::istringstream rendered(MustShell(
        "$(tests/cluster/build.sh helm)/helm template sized charts/shm-operator --no-hooks -n " +
        std::string(kOwn) + " --set 'watchNamespaces={" + kOne + "," + kTwo +
        "}' | kubectl --kubeconfig " + server_.kubeconfig() +
        " create --dry-run=client --validate=false -o json -f - 2>/dev/null"));
    for (json object; rendered >> std::ws && rendered.peek() != EOF;) {
      rendered >> object;
      if (object.contains("webhooks")) PointHere(object);
      manifests_.push_back(object);
    }
  }

  void Install() {
    for (const json& object : manifests_) kubectl_.Must("apply --server-side -f -", object.dump());
  }

  // With the flags of its Deployment, the file of its ConfigMap, and a token of its service
  // account.
  void Start(const std::string& name, const std::vector<std::string>& further) {
    const json container = Find("Deployment", name)["spec"]["template"]["spec"]["containers"][0];
    std::vector<std::string> arguments = {SHM_BINARY_DIR "/bin/" +
                                          container["command"][0].get<std::string>()};
    for (const std::string argument : container["args"]) {
      if (argument.starts_with("--config=") || argument.starts_with("--port=")) continue;
      arguments.push_back(argument);
    }
    const std::string config = server_.dir() + "/config.yaml";
    std::ofstream(config) << Find("ConfigMap", "sized")["data"]["config.yaml"].get<std::string>();
    const int health = FreePort();
    for (const std::string& argument :
         {"--config=" + config, "--kubeconfig=" + KubeconfigOf(name),
          std::string("--namespace=") + kOwn, "--health-port=" + std::to_string(health)}) {
      arguments.push_back(argument);
    }
    arguments.insert(arguments.end(), further.begin(), further.end());
    processes_.push_back(std::make_unique<Process>(arguments, server_.dir() + "/" + name + ".log"));
    ports_[name] = health;
  }
  void StartBoth() {
    Start("sized", {});
    Start("sized-webhook", {"--port=" + std::to_string(webhook_port_)});
    for (const auto& [name, port] : ports_) {
      const bool ready =
          Eventually(seconds(60), [&] { return Ask(port, "/readyz").exit_code == 0; });
      INFO(name << Logs());
      REQUIRE(ready);
    }
    // A pod is seen by the webhook once the API server has the caBundle.
    const bool served = Eventually(seconds(30), [this] {
      return In(kOne, "create --dry-run=server -f -",
                Pod("probe", {{"shm-operator.dev/service", "none"}}))
                 .output.find("denied the request") != std::string::npos;
    });
    INFO(Logs());
    REQUIRE(served);
  }

  ShellResult In(const std::string& ns, const std::string& command,
                 const json& object = nullptr) const {
    return kubectl_.Try("-n " + ns + " " + command, object.is_null() ? "" : object.dump());
  }
  void Must(const std::string& ns, const std::string& command, const json& object = nullptr) const {
    kubectl_.Must("-n " + ns + " " + command, object.is_null() ? "" : object.dump());
  }
  json Get(const std::string& ns, const std::string& what) const {
    return kubectl_.Get("-n " + ns + " " + what);
  }
  bool Reconciled(const std::string& ns, const std::string& name) const {
    const json service = Get(ns, "inferenceservices.shm-operator.dev " + name);
    return service.contains("status") && !Get(ns, "deployment " + name).is_null();
  }
  bool May(const std::string& account, const std::string& verb, const std::string& resource,
           const std::string& ns) const {
    const std::string answer = kubectl_
                                   .Try("auth can-i " + verb + " " + resource + " " + ns +
                                        " --as=system:serviceaccount:" + kOwn + ":" + account)
                                   .output;
    // A warning may come before it.
    INFO(answer);
    REQUIRE((answer.ends_with("yes\n") || answer.ends_with("no\n")));
    return answer.ends_with("yes\n");
  }
  std::string Metrics(const std::string& name) const {
    return Ask(ports_.at(name), "/metrics").output;
  }
  std::string Logs() const {
    return "\n" + Shell("tail -n 30 " + server_.dir() + "/sized*.log").output;
  }
  // The Roles' bindings of both programs there.
  void ApplyBindings(const std::string& ns) const {
    for (const json& object : manifests_) {
      if (object["kind"] != "RoleBinding" || object["metadata"]["namespace"] != ns) continue;
      kubectl_.Must("apply --server-side -f -", object.dump());
    }
  }

 private:
  void PointHere(json& configuration) const {
    for (json& webhook : configuration["webhooks"]) {
      const std::string path = webhook["clientConfig"]["service"]["path"];
      webhook["clientConfig"] = {
          {"url", "https://localhost:" + std::to_string(webhook_port_) + path}};
    }
  }
  json Find(const std::string& kind, const std::string& name) const {
    for (const json& object : manifests_) {
      if (object["kind"] == kind && object["metadata"]["name"] == name) return object;
    }
    FAIL("the chart has no " << kind << " " << name);
    return {};
  }
  std::string KubeconfigOf(const std::string& account) const {
    std::string token = kubectl_.Must(std::string("-n ") + kOwn + " create token " + account);
    token.erase(token.find_last_not_of('\n') + 1);
    json config = json::parse(kubectl_.Must("config view --raw -o json"));
    config["users"][0]["user"] = {{"token", token}};
    const std::string path = server_.dir() + "/" + account + ".kubeconfig";
    std::ofstream(path) << config.dump();
    return path;
  }
  static ShellResult Ask(int port, const std::string& path) {
    return Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + path);
  }

  const Server server_;
  const Kubectl kubectl_;
  const int webhook_port_;
  json manifests_ = json::array();
  std::map<std::string, int> ports_;  // of health, by program
  std::vector<std::unique_ptr<Process>> processes_;
};

// A pod of a ReplicaSet's that came before the webhook did, and counts as running.
void AddOldPod(const Scoped& scoped, const std::string& ns) {
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

void CheckNothingWasRefused(const Scoped& scoped) {
  for (const char* name : {"sized", "sized-webhook"}) {
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
  Scoped scoped;
  for (const char* ns : {kOne, kOther}) AddOldPod(scoped, ns);
  scoped.Install();
  scoped.StartBoth();
  for (const char* ns : {kOne, kOther}) {
    scoped.Must(ns, "create -f -", Owning("own"));
    scoped.Must(ns, "create -f -",
                Service("selecting", {{"repair", "Restart"},
                                      {"selector", {{"matchLabels", {{"app", "engine"}}}}}}));
  }
  scoped.Must(kTwo, "create -f -", Owning("second"));

  CHECK(Eventually(seconds(20), [&] { return scoped.Reconciled(kOne, "own"); }));
  CHECK(Eventually(seconds(20), [&] { return scoped.Reconciled(kTwo, "second"); }));
  const json pod = Pod("p", {{"shm-operator.dev/service", "own"}});
  const ShellResult sized = scoped.In(kOne, "create -f -", pod);
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

  CHECK(scoped.In(kOther, "create -f -", pod).exit_code == 0);
  CHECK_FALSE(scoped.Get(kOther, "pod p")["spec"].contains("volumes"));
  CHECK_FALSE(scoped.Get(kOther, "pod old").is_null());
  CHECK(scoped.Get(kOther, "deployments")["items"].empty());
  for (const json& service : scoped.Get(kOther, "inferenceservices.shm-operator.dev")["items"]) {
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
  Scoped scoped;
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
      {"sized", "watch", "inferenceservices.shm-operator.dev", one, true},
      {"sized", "watch", "inferenceservices.shm-operator.dev", other, false},
      {"sized", "watch", "inferenceservices.shm-operator.dev", "-A", false},
      {"sized", "create", "deployments.apps", one, true},
      {"sized", "create", "deployments.apps", other, false},
      {"sized", "create", "pods/eviction", one, true},
      {"sized", "create", "pods/eviction", other, false},
      {"sized", "list", "pods", other, false},
      {"sized", "get", "secrets", one, false},
      {"sized", "watch", "namespaces", "", false},
      {"sized", "watch", std::string("namespaces/") + kOne, "", true},
      {"sized", "watch", std::string("namespaces/") + kOther, "", false},
      // Before an old authority goes, the webhook's replicas are asked what they serve.
      {"sized", "list", "pods", own, true},
      {"sized", "get", "services/sized-webhook", own, true},
      {"sized", "create", "deployments.apps", own, false},
      {"sized-webhook", "watch", "inferenceservices.shm-operator.dev", one, true},
      {"sized-webhook", "watch", "inferenceservices.shm-operator.dev", other, false},
      {"sized-webhook", "watch", std::string("namespaces/") + kTwo, "", true},
      {"sized-webhook", "watch", "namespaces", "", false},
      {"sized-webhook", "list", "pods", one, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.account, row.verb, row.resource, row.where);
    CHECK(scoped.May(row.account, row.verb, row.resource, row.where) == row.may);
  }
}

TEST_CASE(
    "a namespace that it may not look at holds up none of the others, and is taken up later") {
  Scoped scoped;
  scoped.Install();
  scoped.Must(kTwo, "delete rolebinding sized sized-webhook");
  scoped.Must(kTwo, "create -f -", Owning("late"));
  scoped.Must(kOne, "create -f -", Owning("own"));
  scoped.StartBoth();
  CHECK(Eventually(seconds(20), [&] { return scoped.Reconciled(kOne, "own"); }));
  CHECK(scoped.Get(kTwo, "deployments")["items"].empty());
  CHECK_THAT(scoped.Metrics("sized"), Catch::Contains("shm_operator_watches_refused 6\n"));
  CHECK_THAT(scoped.Metrics("sized-webhook"), Catch::Contains("shm_webhook_watches_refused 1\n"));
  // Nothing is denied for what cannot be known.
  CHECK(scoped.In(kTwo, "create -f -", Pod("p", {{"shm-operator.dev/service", "unknown"}}))
            .exit_code == 0);

  scoped.ApplyBindings(kTwo);
  const bool reconciled = Eventually(seconds(90), [&] { return scoped.Reconciled(kTwo, "late"); });
  INFO(scoped.Logs());
  CHECK(reconciled);
  CHECK(Eventually(seconds(60), [&] {
    return scoped.Metrics("sized").find("shm_operator_watches_refused 0\n") != std::string::npos &&
           scoped.Metrics("sized-webhook").find("shm_webhook_watches_refused 0\n") !=
               std::string::npos;
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
