// What each program is told: flags, environment, a YAML file, and what holds without any.
//
// A setting `--size-per-gpu` is SHM_OPERATOR_SIZE_PER_GPU in the environment and sizePerGPU in the
// file of --config. Flags win over the environment, which wins over the file. All faults are
// reported at once, each with the place that it was read from; unknown flags and keys are faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate_plan.h"
#include "core/claim_template.h"
#include "core/defaults.h"
#include "core/result.h"
#include "runtime/log.h"

namespace shm::runtime {

// Each namespace takes some watches, and each watch a connection and a thread of its own:
// docs/namespaces.md has what they cost.
inline constexpr std::size_t kMaxWatchNamespaces = 50;

struct CommonConfig {
  std::string help;            // not empty: print it and exit 0
  std::string kubeconfig;      // path; empty: in-cluster
  std::string namespace_name;  // own; empty: the service account's
  std::string listen_address = "[::]";
  std::uint16_t health_port = 8080;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kJson;
  std::string tls_secret = "shm-operator-webhook-tls";
  InstallationDefaults sizing;
  std::vector<std::string> watch_namespaces;  // empty: all
};

struct WebhookConfig : CommonConfig {
  std::uint16_t port = 8443;
  int shutdown_delay = 10;             // seconds that it goes on serving after SIGTERM
  std::string client_ca;               // path of a PEM bundle; empty: clients need no certificate
  bool count_resource_claims = false;  // it may then read ResourceClaimTemplates
  DeviceClasses gpu_device_classes = KnownGpuClasses();
};

struct OperatorConfig : CommonConfig {
  std::string webhook_configuration = "shm-operator";
  std::string webhook_service = "shm-operator-webhook";
  std::string ca_secret = "shm-operator-ca";
  std::string lease = "shm-operator";
  std::string deployment = "shm-operator";  // owner of Secrets and Lease
  CertificatePolicy certificates;
};

// An environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment ProcessEnvironment();

// `arguments` without the program's name.
Result<WebhookConfig> ReadWebhookConfig(const std::vector<std::string>& arguments,
                                        const Environment& environment);
Result<OperatorConfig> ReadOperatorConfig(const std::vector<std::string>& arguments,
                                          const Environment& environment);

// What can be told only once the own namespace is known: that it is not among those watched, since
// the webhook never sees its pods.
Result<void> CheckWatchNamespaces(const CommonConfig& config, const std::string& own_namespace);

}  // namespace shm::runtime
