#include "tests/integration/scoped_installation.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

ShellResult Ask(int port, const std::string& path) {
  return Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + path);
}

std::string In(const std::string& ns, const std::string& command) {
  return "-n " + ns + " " + command;
}

// Of a webhook's configuration: it is called by URL, not by its Service.
void PointTo(int port, json& object) {
  if (!object.contains("webhooks")) return;
  for (json& webhook : object["webhooks"]) {
    const std::string path = webhook["clientConfig"]["service"]["path"];
    webhook["clientConfig"] = {{"url", "https://localhost:" + std::to_string(port) + path}};
  }
}

std::string Input(const json& object) { return object.is_null() ? "" : object.dump(); }

}  // namespace

ScopedInstallation::ScopedInstallation() {
  StartServer();
  for (const char* name : {kOwn, kOne, kTwo, kOther}) {
    kubectl_.Must(std::string("create namespace ") + name);
  }
  kubectl_.Must(std::string("label namespace ") + kOne + " " + kOther +
                " shm-operator.dev/injection=enabled");
  kubectl_.Must("apply --server-side -f crds");
  kubectl_.Must("wait --for=condition=Established crd/inferenceservices.shm-operator.dev");
  Render();
}

// Under `run` the servers die with the runner, and the runner with this process.
void ScopedInstallation::StartServer() {
  const std::string log = dir_.path() + "/server.log";
  server_ = std::make_unique<Process>(
      std::vector<std::string>{SHM_SOURCE_DIR "/tests/cluster/apiserver", "run",
                               dir_.path() + "/server", "--", "sleep", "infinity"},
      log);
  const bool up =
      Eventually(seconds(90), [this] { return kubectl_.Try("get --raw /readyz").exit_code == 0; });
  INFO(Shell("cat " + log).output);
  REQUIRE(up);
}

void ScopedInstallation::Render() {
  const std::string values = std::string(kOne) + "," + kTwo;
  std::istringstream rendered(
      MustShell("$(tests/cluster/build.sh helm)/helm template " + std::string(kOperator) +
                " charts/shm-operator --no-hooks -n " + kOwn + " --set 'watchNamespaces={" +
                values + "}' | kubectl --kubeconfig " + kubeconfig_ +
                " create --dry-run=client --validate=false -o json -f - 2>/dev/null"));
  for (json object; rendered >> std::ws && rendered.peek() != EOF;) {
    rendered >> object;
    PointTo(webhook_port_, object);
    manifests_.push_back(object);
  }
}

void ScopedInstallation::Apply(const json& objects) const {
  const json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}};
  kubectl_.Must("apply --server-side -f -", list.dump());
}

void ScopedInstallation::Install() const { Apply(manifests_); }

void ScopedInstallation::ApplyBindings(const std::string& ns) const {
  json bindings = json::array();
  for (const json& object : manifests_) {
    if (object["kind"] == "RoleBinding" && object["metadata"]["namespace"] == ns) {
      bindings.push_back(object);
    }
  }
  Apply(bindings);
}

void ScopedInstallation::Start() {
  StartProgram(kOperator, {});
  StartProgram(kWebhook, {"--port=" + std::to_string(webhook_port_)});
  for (const auto& [name, port] : health_ports_) {
    const bool ready =
        Eventually(seconds(60), [port = port] { return Ask(port, "/readyz").exit_code == 0; });
    INFO(name << Logs());
    REQUIRE(ready);
  }
  // The webhook is asked once the API server has the caBundle.
  const json probe = json::parse(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"probe","labels":{"shm-operator.dev/service":"none"}},
          "spec":{"containers":[{"name":"c","image":"i"}]}})");
  const bool asked = Eventually(seconds(30), [&] {
    return Try(kOne, "create --dry-run=server -f -", probe).output.find("denied the request") !=
           std::string::npos;
  });
  INFO(Logs());
  REQUIRE(asked);
}

// With the flags of its Deployment, the file of its ConfigMap, and a token of its service account.
void ScopedInstallation::StartProgram(const std::string& name,
                                      const std::vector<std::string>& further) {
  const json container = Find("Deployment", name)["spec"]["template"]["spec"]["containers"][0];
  const std::string program = container["command"][0];
  std::vector<std::string> arguments = {SHM_BINARY_DIR "/bin/" + program};
  for (const std::string argument : container["args"]) {
    if (argument.starts_with("--config=") || argument.starts_with("--port=")) continue;
    arguments.push_back(argument);
  }
  const std::string config = dir_.path() + "/config.yaml";
  std::ofstream(config) << Find("ConfigMap", kOperator)["data"]["config.yaml"].get<std::string>();
  health_ports_[name] = FreePort();
  for (const std::string& argument : {"--config=" + config, "--kubeconfig=" + KubeconfigOf(name),
                                      std::string("--namespace=") + kOwn,
                                      "--health-port=" + std::to_string(health_ports_[name])}) {
    arguments.push_back(argument);
  }
  arguments.insert(arguments.end(), further.begin(), further.end());
  programs_.push_back(
      std::make_unique<Process>(arguments, dir_.path() + "/program-" + name + ".log"));
}

json ScopedInstallation::Find(const std::string& kind, const std::string& name) const {
  for (const json& object : manifests_) {
    if (object["kind"] == kind && object["metadata"]["name"] == name) return object;
  }
  FAIL("the chart has no " << kind << " " << name);
  return {};
}

std::string ScopedInstallation::KubeconfigOf(const std::string& account) const {
  std::string token = kubectl_.Must(In(kOwn, "create token " + account));
  token.erase(token.find_last_not_of('\n') + 1);
  json config = json::parse(kubectl_.Must("config view --raw -o json"));
  config["users"][0]["user"] = {{"token", token}};
  const std::string path = dir_.path() + "/" + account + ".kubeconfig";
  std::ofstream(path) << config.dump();
  return path;
}

ShellResult ScopedInstallation::Try(const std::string& ns, const std::string& command,
                                    const json& object) const {
  return kubectl_.Try(In(ns, command), Input(object));
}

void ScopedInstallation::Must(const std::string& ns, const std::string& command,
                              const json& object) const {
  kubectl_.Must(In(ns, command), Input(object));
}

json ScopedInstallation::Get(const std::string& ns, const std::string& what) const {
  return kubectl_.Get(In(ns, what));
}

bool ScopedInstallation::May(const std::string& account, const std::string& verb,
                             const std::string& resource, const std::string& where) const {
  const std::string who = " --as=system:serviceaccount:" + std::string(kOwn) + ":" + account;
  const std::string said =
      kubectl_.Try("auth can-i " + verb + " " + resource + " " + where + who).output;
  // A warning may come before it.
  INFO(said);
  REQUIRE((said.ends_with("yes\n") || said.ends_with("no\n")));
  return said.ends_with("yes\n");
}

std::string ScopedInstallation::Metrics(const std::string& program) const {
  return Ask(health_ports_.at(program), "/metrics").output;
}

std::string ScopedInstallation::Logs() const {
  return "\n" + Shell("tail -n 30 " + dir_.path() + "/program-*.log").output;
}

}  // namespace shm::test
