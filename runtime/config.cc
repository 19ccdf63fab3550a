#include "runtime/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <type_traits>
#include <utility>

#include "core/quantity.h"
#include "runtime/settings.h"

namespace shm::runtime {
namespace {

constexpr int kHour = 3600;  // seconds
constexpr int kYear = 365 * 24 * kHour;

using Setter = std::function<Result<void>(const std::string&)>;

Error Refused(const std::string& text, const std::string& accepted) {
  return Error{"", "\"" + text + "\" is not " + accepted};
}

Setter Text(std::string& target) {
  return [&target](const std::string& text) -> Result<void> {
    target = text;
    return {};
  };
}

Setter Name(std::string& target) {
  return [&target](const std::string& text) -> Result<void> {
    if (text.empty()) return Refused(text, "a name");
    target = text;
    return {};
  };
}

template <typename Integer>
Setter Number(Integer& target, int low, int high) {
  return [&target, low, high](const std::string& text) -> Result<void> {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < low || number > high) {
      return Refused(text, "a number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    target = static_cast<Integer>(number);
    return {};
  };
}

Setter Flag(bool& target) {
  return [&target](const std::string& text) -> Result<void> {
    if (text != "true" && text != "false") return Refused(text, "true or false");
    target = text == "true";
    return {};
  };
}

// "a,b" as its items; "" is none.
std::vector<std::string> Items(const std::string& text) {
  std::vector<std::string> items;
  for (std::size_t start = 0; !text.empty() && start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    items.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return items;
}

constexpr char kNameLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";

// Names between commas, at least one.
Setter Names(std::vector<std::string>& target) {
  return [&target](const std::string& text) -> Result<void> {
    std::vector<std::string> names = Items(text);
    const bool good = std::all_of(names.begin(), names.end(), [](const std::string& name) {
      return !name.empty() && name.find_first_not_of(kNameLetters) == std::string::npos;
    });
    if (names.empty() || !good) return Refused(text, "a list of names, with a comma between two");
    target = std::move(names);
    return {};
  };
}

// RFC 1123, as Kubernetes has names of namespaces.
bool IsDnsLabel(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         name.find('.') == std::string::npos &&
         name.find_first_not_of(kNameLetters) == std::string::npos;
}

// Namespaces between commas; none means all.
Setter WatchNamespaces(std::vector<std::string>& target) {
  return [&target](const std::string& text) -> Result<void> {
    std::vector<std::string> names = Items(text);
    if (names.size() > kMaxWatchNamespaces) {
      return Error{"", std::to_string(names.size()) + " namespaces are more than " +
                           std::to_string(kMaxWatchNamespaces) + ": leave it empty to watch all"};
    }
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (!IsDnsLabel(name)) return Refused(name, "the name of a namespace");
      if (!seen.insert(name).second) return Error{"", "\"" + name + "\" is there twice"};
      if (name == "kube-system") return Error{"", "pods of kube-system are never sized"};
    }
    target = std::move(names);
    return {};
  };
}

// A Kubernetes quantity of at least `low` bytes. Empty unsets what may be unset.
template <typename Bytes>
Setter Size(Bytes& target, std::int64_t low) {
  return [&target, low](const std::string& text) -> Result<void> {
    if constexpr (!std::is_same_v<Bytes, std::int64_t>) {
      if (text.empty()) {
        target.reset();
        return {};
      }
    }
    const Result<std::int64_t> bytes = ParseQuantity(text);
    if (!bytes) return Error{"", bytes.error().message};
    if (*bytes < low) return Refused(text, low > 0 ? "above 0" : "0 or more");
    target = *bytes;
    return {};
  };
}

template <typename Value>
Setter OneOf(Value& target, std::vector<std::pair<std::string, Value>> choices) {
  return [&target, choices = std::move(choices)](const std::string& text) -> Result<void> {
    std::string names;
    for (const auto& [name, value] : choices) {
      names += (names.empty() ? "" : ", ") + name;
      if (name != text) continue;
      target = value;
      return {};
    }
    return Refused(text, "one of " + names);
  };
}

std::vector<Setting> CommonSettings(CommonConfig& config) {
  return {
      {"kubeconfig", "kubeconfig file; without it, the service account", Text(config.kubeconfig)},
      {"namespace", "own namespace; without it, the service account's",
       Text(config.namespace_name)},
      {"listen-address", "address of every port; [::] takes IPv4 too", Name(config.listen_address)},
      {"health-port", "port of /healthz, /readyz and /metrics",
       Number(config.health_port, 0, 65535)},
      {"log-level", "debug, info, warn or error",
       OneOf<LogLevel>(config.log_level, {{"debug", LogLevel::kDebug},
                                          {"info", LogLevel::kInfo},
                                          {"warn", LogLevel::kWarn},
                                          {"error", LogLevel::kError}})},
      {"log-format", "json or text",
       OneOf<LogFormat>(config.log_format,
                        {{"json", LogFormat::kJson}, {"text", LogFormat::kText}})},
      {"tls-secret", "Secret of the webhook's certificate", Name(config.tls_secret)},
      {"size-per-gpu", "shared memory for each GPU where nothing else says",
       Size(config.sizing.size_per_gpu, 1)},
      {"max-size", "largest shared memory of a pod; empty: none", Size(config.sizing.max_size, 1)},
      {"memory-limit-policy", "Warn, Raise or Reject where it does not fit the memory limit",
       OneOf<MemoryLimitPolicy>(config.sizing.memory_limit_policy,
                                {{"Warn", MemoryLimitPolicy::kWarn},
                                 {"Raise", MemoryLimitPolicy::kRaise},
                                 {"Reject", MemoryLimitPolicy::kReject}})},
      {"memory-headroom", "memory that is to be left beside the shared memory",
       Size(config.sizing.memory_headroom, 0)},
      {"audit", "true: say what would be done, change nothing", Flag(config.sizing.audit)},
      {"watch-namespaces", "namespaces that it looks at, alone; empty: all",
       WatchNamespaces(config.watch_namespaces), /*list=*/true},
  };
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

Result<WebhookConfig> ReadWebhookConfig(const std::vector<std::string>& arguments,
                                        const Environment& environment) {
  WebhookConfig config;
  std::vector<Setting> settings = CommonSettings(config);
  settings.push_back({"port", "port of the webhook (HTTPS)", Number(config.port, 0, 65535)});
  settings.push_back({"shutdown-delay", "seconds to go on serving after SIGTERM",
                      Number(config.shutdown_delay, 0, 600)});
  settings.push_back({"client-ca", "PEM file: clients must show a certificate by one of these",
                      Text(config.client_ca)});
  settings.push_back({"count-resource-claims",
                      "true: count GPUs of resource claims from their ResourceClaimTemplates, "
                      "which it must be allowed to list and watch",
                      Flag(config.count_resource_claims)});
  settings.push_back({"gpu-device-classes", "DeviceClasses whose devices count as GPUs then",
                      Names(config.gpu_device_classes), /*list=*/true});
  const Result<std::string> help = ReadSettings("shm-webhook", settings, arguments, environment);
  if (!help) return help.error();
  config.help = *help;
  return config;
}

Result<OperatorConfig> ReadOperatorConfig(const std::vector<std::string>& arguments,
                                          const Environment& environment) {
  OperatorConfig config;
  std::vector<Setting> settings = CommonSettings(config);
  const std::vector<Setting> own = {
      {"webhook-configuration", "MutatingWebhookConfiguration whose caBundle it keeps",
       Name(config.webhook_configuration)},
      {"webhook-service", "Service of the webhook, for its certificate's names",
       Name(config.webhook_service)},
      {"ca-secret", "Secret of its certificate authority", Name(config.ca_secret)},
      {"lease", "Lease of the leader", Name(config.lease)},
      {"deployment", "own Deployment, the owner of Secrets and Lease", Name(config.deployment)},
      {"certificate-mode", "self, cert-manager or provided: who owns certificate and caBundle",
       OneOf<CertificateMode>(config.certificates.mode,
                              {{"self", CertificateMode::kSelf},
                               {"cert-manager", CertificateMode::kCertManager},
                               {"provided", CertificateMode::kProvided}})},
      {"ca-lifetime", "seconds that its certificate authority is valid; replaced at two thirds",
       Number(config.certificates.authority_lifetime, kHour, 20 * kYear)},
      {"leaf-lifetime", "seconds that the webhook's certificate is valid; replaced at two thirds",
       Number(config.certificates.leaf_lifetime, 600, 20 * kYear)},
      {"ca-propagation", "seconds after which all API servers have seen a new caBundle",
       Number(config.certificates.propagation, 1, kHour)},
      {"ca-overlap", "seconds that an old authority stays in caBundle after the switch",
       Number(config.certificates.overlap, 1, kYear)}};
  settings.insert(settings.end(), own.begin(), own.end());
  const Result<std::string> help = ReadSettings("shm-operator", settings, arguments, environment);
  if (!help) return help.error();
  config.help = *help;
  if (!config.help.empty()) return config;
  if (const Result<void> sound = CheckCertificatePolicy(config.certificates); !sound) {
    return sound.error();
  }
  return config;
}

Result<void> CheckWatchNamespaces(const CommonConfig& config, const std::string& own_namespace) {
  const auto& watched = config.watch_namespaces;
  if (std::find(watched.begin(), watched.end(), own_namespace) == watched.end()) return {};
  return Error{"watchNamespaces",
               "\"" + own_namespace + "\" is the own namespace, whose pods are never sized"};
}

}  // namespace shm::runtime
