#include "tests/integration/installation.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kNamespace = "shm-system";

std::string Kubeconfig() {
  const char* path = std::getenv("KUBECONFIG");
  return path ? path : "";
}

// The manifests of deploy/install.yaml as JSON, one object each.
json InstallManifests() {
  std::istringstream output(Cluster().Must(
      "create --dry-run=client --validate=false -o json -f deploy/install.yaml 2>/dev/null"));
  json manifests = json::array();
  for (json object; output >> std::ws && output.peek() != EOF;) {
    output >> object;
    manifests.push_back(object);
  }
  return manifests;
}

void ApplyKinds(const json& manifests, int webhook_port) {
  for (json object : manifests) {
    const std::string kind = object["kind"];
    if (kind != "Namespace" && kind != "CustomResourceDefinition" &&
        kind != "MutatingWebhookConfiguration") {
      continue;
    }
    if (object.contains("webhooks")) {
      for (json& webhook : object["webhooks"]) {
        const std::string path = webhook["clientConfig"]["service"]["path"];
        webhook["clientConfig"] = {
            {"url", "https://localhost:" + std::to_string(webhook_port) + path}};
      }
    }
    Cluster().Must("apply --server-side --force-conflicts -f -", object.dump());
  }
}

}  // namespace

const Kubectl& Cluster() {
  static const Kubectl kubectl{Kubeconfig()};
  return kubectl;
}

Installation& Installation::Get() {
  static Installation installation;
  return installation;
}

Installation::Installation()
    : webhook_port_(FreePort()),
      webhook_health_port_(FreePort()),
      operator_health_port_(FreePort()) {
  ApplyKinds(InstallManifests(), webhook_port_);
  Cluster().Must("wait --for=condition=Established crd/inferenceservices.shm-operator.dev");
  StartOperator();
  StartWebhook();
  WaitUntilReady(operator_health_port_);
  WaitUntilReady(webhook_health_port_);
  // A pod is sized once the API server has the caBundle.
  const std::string ns = NewNamespace("installed");
  const bool served = Eventually(seconds(30), [&ns] {
    return Cluster()
               .Try(
                   "-n " + ns + " create --dry-run=server -f -",
                   R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"probe","labels":{"shm-operator.dev/service":"none"}},
                       "spec":{"containers":[{"name":"c","image":"i"}]}})")
               .output.find("denied the request") != std::string::npos;
  });
  INFO(Logs());
  REQUIRE(served);
}

// In good order: a leak checker speaks at the end of a process, and of a killed one never. A second
// signal cuts the webhook's shutdown delay short.
Installation::~Installation() {
  if (operator_) operator_->End(seconds(10));
  if (!webhook_ || webhook_->End(seconds(1))) return;
  webhook_->End(seconds(10));
}

void Installation::StartOperator() { operator_ = StartReplica(operator_health_port_); }

std::unique_ptr<Process> Installation::StartReplica(int health_port) const {
  const std::string port = std::to_string(health_port);
  return std::make_unique<Process>(
      std::vector<std::string>{SHM_BINARY_DIR "/bin/shm-operator", "--kubeconfig", Kubeconfig(),
                               "--namespace", kNamespace, "--health-port", port},
      dir_.path() + "/operator-" + port + ".log");
}

void Installation::StartWebhook() {
  webhook_ = std::make_unique<Process>(
      std::vector<std::string>{SHM_BINARY_DIR "/bin/shm-webhook", "--kubeconfig", Kubeconfig(),
                               "--namespace", kNamespace, "--port", std::to_string(webhook_port_),
                               "--health-port", std::to_string(webhook_health_port_),
                               "--count-resource-claims=true"},
      dir_.path() + "/webhook.log");
}

void Installation::WaitUntilReady(int port) {
  const bool ready = Eventually(seconds(30), [port] {
    return Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + "/readyz").exit_code == 0;
  });
  INFO(Logs());
  REQUIRE(ready);
}

std::string Installation::Logs() const {
  return Shell("tail -n 20 " + dir_.path() + "/operator-*.log " + dir_.path() + "/webhook.log")
      .output;
}

void ApplyInferenceService(const std::string& ns, const std::string& name, const json& spec) {
  Cluster().Must("-n " + ns + " apply --server-side -f -",
                 json({{"apiVersion", "shm-operator.dev/v1alpha1"},
                       {"kind", "InferenceService"},
                       {"metadata", {{"name", name}}},
                       {"spec", spec}})
                     .dump());
}

std::string NewNamespace(const std::string& prefix, bool enabled) {
  static int count = 0;
  const std::string name = prefix + "-" + std::to_string(++count);
  Cluster().Must("create namespace " + name);
  if (enabled) Cluster().Must("label namespace " + name + " shm-operator.dev/injection=enabled");
  return name;
}

}  // namespace shm::test
