#include "operator/certificates.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base64.h"
#include "core/names.h"
#include "operator/service_target.h"
#include "runtime/log.h"
#include "runtime/tls_probe.h"

namespace shm::controller {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kRetry{2};
constexpr std::chrono::seconds kLongestPause{10};  // tampering is seen within this time
constexpr std::chrono::milliseconds kProbeTimeout{1000};
constexpr int kMostSteps = 8;  // between two pauses; a whole first issue takes three
constexpr const char* kOldAuthorities = "old.crt";

std::int64_t UnixNow(const kube::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.WallNow().time_since_epoch())
      .count();
}

// A Secret's value, decoded; empty where it is missing or no base64.
std::string SecretValue(const json& secret, const char* key) {
  const auto data = secret.find("data");
  if (data == secret.end() || !data->is_object()) return "";
  const auto value = data->find(key);
  if (value == data->end() || !value->is_string()) return "";
  auto decoded = DecodeBase64(value->get_ref<const std::string&>());
  return decoded.ok() ? std::move(decoded).value() : "";
}

// The host that the API server verifies an entry's certificate for.
std::string CalledHost(const json& client_config) {
  if (const auto service = client_config.find("service"); service != client_config.end()) {
    return service->value("name", "") + "." + service->value("namespace", "") + ".svc";
  }
  std::string url = client_config.value("url", "");
  if (const auto scheme = url.find("://"); scheme != std::string::npos) url.erase(0, scheme + 3);
  return url.substr(0, url.find_first_of(":/"));
}

// The fingerprints of a bundle's certificates, in its order, which `pem_by_sha256` then holds.
std::vector<std::string> Fingerprints(const std::string& bundle,
                                      std::map<std::string, std::string>& pem_by_sha256) {
  std::vector<std::string> found;
  const auto pems = pki::SplitBundle(bundle);
  if (!pems.ok()) return found;
  for (const std::string& pem : *pems) {
    const auto info = pki::Inspect(pem);
    if (!info.ok()) continue;
    found.push_back(info->sha256);
    pem_by_sha256.emplace(info->sha256, pem);
  }
  return found;
}

// Whether a pod serves some certificate now, and is to go on. One that was evicted, or whose
// container waits to be started again, may stay in the list for as long as Kubernetes likes; a
// process that begins later will begin with the newest pair.
bool Serves(const json& pod) {
  if (pod["metadata"].contains("deletionTimestamp")) return false;
  const json containers = pod.value("/status/containerStatuses"_json_pointer, json::array());
  return std::any_of(containers.begin(), containers.end(), [](const json& container) {
    return container.value("state", json::object()).contains("running");
  });
}

bool Covers(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&names](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

// Stands for those that could not be asked: it serves nothing that is looked for.
ReplicaFacts UnknownReplica(const kube::ApiError& error) {
  return {"(unknown: " + error.ToString() + ")", ""};
}

}  // namespace

Certificates::Certificates(kube::Api& api, CertificateOptions options, kube::Clock& clock)
    : api_(api), options_(std::move(options)), clock_(clock) {}

std::chrono::seconds Certificates::Advance() {
  if (options_.policy.mode == CertificateMode::kCertManager) return kLongestPause;
  for (int step = 0; step < kMostSteps; ++step) {
    json configuration;
    auto observed = Observe(configuration);
    if (!observed.ok()) {
      runtime::LogWarn("certificates cannot be looked at",
                       {{"error", observed.error().ToString()}});
      return kRetry;
    }
    const CertificatePlan plan = DecideCertificates(options_.policy, observed->facts);
    if (plan.action == CertificateAction::kNone) {
      return std::min<std::chrono::seconds>(std::chrono::seconds(plan.ask_again_in), kLongestPause);
    }
    runtime::LogInfo("certificates change",
                     {{"state", RotationStateName(plan.state)}, {"reason", plan.reason}});
    if (const auto error = Execute(plan, *observed)) {
      runtime::LogWarn("certificates could not be changed", {{"error", *error}});
      return kRetry;
    }
  }
  return kRetry;
}

kube::ApiResult<Certificates::Observed> Certificates::Observe(json& configuration) {
  Observed observed;
  observed.facts.now = UnixNow(clock_);
  auto found =
      api_.Get(kube::MutatingWebhookConfigurations(), {"", options_.webhook_configuration});
  if (!found.ok()) return found.error();
  configuration = std::move(found).value();
  ReadConfiguration(configuration, observed);
  observed.configuration = &configuration;
  if (const auto read = ReadAuthority(observed); !read.ok()) return read.error();
  if (const auto read = ReadLeaf(observed); !read.ok()) return read.error();
  MeasurePublication(observed);
  // Only while an old authority waits to go does it matter what each replica serves.
  if (!observed.facts.old_authorities.empty() && !observed.dns_names.empty()) {
    observed.facts.replicas = AskReplicas(observed.dns_names.front());
  }
  return observed;
}

void Certificates::ReadConfiguration(const json& configuration, Observed& observed) const {
  for (const json& webhook : configuration.value("webhooks", json::array())) {
    const json client_config = webhook.value("clientConfig", json::object());
    const std::string host = CalledHost(client_config);
    if (!host.empty() && !Covers(observed.dns_names, {host})) observed.dns_names.push_back(host);
    const auto bundle = DecodeBase64(client_config.value("caBundle", ""));
    observed.facts.bundles.push_back(
        Fingerprints(bundle.ok() ? *bundle : "", observed.pem_by_sha256));
  }
}

kube::ApiResult<void> Certificates::ReadAuthority(Observed& observed) {
  if (options_.policy.mode != CertificateMode::kSelf) return {};
  const auto secret = api_.Get(kube::Secrets(), {options_.namespace_name, options_.ca_secret});
  if (secret.Is(kube::ErrorReason::kNotFound)) return {};
  if (!secret.ok()) return secret.error();

  observed.facts.old_authorities =
      Fingerprints(SecretValue(*secret, kOldAuthorities), observed.pem_by_sha256);
  pki::KeyPair pair{SecretValue(*secret, "tls.crt"), SecretValue(*secret, "tls.key")};
  const auto info = pki::Inspect(pair.certificate_pem);
  if (!info.ok() || !info->is_authority) return {};
  observed.pem_by_sha256[info->sha256] = pair.certificate_pem;
  if (!pki::CheckKey(pair.certificate_pem, pair.key_pem).ok()) return {};
  observed.facts.authority = AuthorityFacts{info->sha256, info->not_before, info->not_after};
  observed.authority = std::move(pair);
  return {};
}

kube::ApiResult<void> Certificates::ReadLeaf(Observed& observed) {
  leaf_not_after_ = 0;
  const auto secret = api_.Get(kube::Secrets(), {options_.namespace_name, options_.tls_secret});
  if (secret.Is(kube::ErrorReason::kNotFound)) return {};
  if (!secret.ok()) return secret.error();

  const std::string certificate = SecretValue(*secret, "tls.crt");
  const std::string key = SecretValue(*secret, "tls.key");
  const auto info = pki::Inspect(certificate);
  if (!info.ok() || !pki::CheckKey(certificate, key).ok()) return {};
  LeafFacts leaf{info->sha256,
                 info->not_before,
                 info->not_after,
                 "",
                 Covers(info->dns_names, observed.dns_names),
                 Fingerprints(SecretValue(*secret, "ca.crt"), observed.pem_by_sha256)};
  leaf_not_after_ = info->not_after;
  for (const std::string& sha256 : leaf.authorities) {
    // An outdated leaf is still by its authority: judged at the leaf's own beginning.
    const bool signed_by =
        !info->dns_names.empty() &&
        pki::VerifyPair(certificate, key, observed.pem_by_sha256[sha256], info->dns_names.front(),
                        info->not_before + kClockSkewMargin)
            .ok();
    if (!signed_by) continue;
    leaf.issuer_sha256 = sha256;
    break;
  }
  observed.facts.leaf = std::move(leaf);
  return {};
}

// For how long every entry was seen to hold the same bundle.
void Certificates::MeasurePublication(Observed& observed) {
  const auto& bundles = observed.facts.bundles;
  const bool alike = !bundles.empty() && !bundles.front().empty() &&
                     std::all_of(bundles.begin(), bundles.end(),
                                 [&](const auto& bundle) { return bundle == bundles.front(); });
  const std::vector<std::string> now_published =
      alike ? bundles.front() : std::vector<std::string>{};
  if (now_published != published_) {
    published_ = now_published;
    published_since_ = clock_.Now();
  }
  if (published_.empty()) return;
  observed.facts.published_for =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.Now() - published_since_).count();
}

std::vector<ReplicaFacts> Certificates::AskReplicas(const std::string& server_name) {
  std::vector<ReplicaFacts> replicas;
  const auto service =
      api_.Get(kube::Services(), {options_.namespace_name, options_.webhook_service});
  if (!service.ok()) return {UnknownReplica(service.error())};
  const std::string selector = SelectorText(*service);
  if (selector.empty()) return replicas;
  const auto listed = api_.List(
      kube::Pods(), options_.namespace_name, {.label_selector = selector}, [&](json&& pod) {
        if (!Serves(pod)) return;
        ReplicaFacts replica;
        replica.name = pod["metadata"].value("name", "");
        const std::string address = pod.value("/status/podIP"_json_pointer, "");
        const auto port = TargetPort(*service, pod);
        if (!address.empty() && port) {
          const auto served =
              runtime::ServedCertificate(address, *port, server_name, kProbeTimeout);
          if (served.ok()) replica.served_sha256 = *served;
        }
        replicas.push_back(std::move(replica));
      });
  if (!listed.ok()) replicas.push_back(UnknownReplica(listed.error()));
  return replicas;
}

std::optional<std::string> Certificates::Execute(const CertificatePlan& plan,
                                                 const Observed& observed) {
  switch (plan.action) {
    case CertificateAction::kNone:
      return std::nullopt;
    case CertificateAction::kCreateAuthority:
      return CreateAuthority(plan, observed);
    case CertificateAction::kKeepOld:
      return WriteAuthority(observed.authority, {plan.trusted.begin() + 1, plan.trusted.end()},
                            observed);
    case CertificateAction::kPublishBundle:
      return PublishBundle(plan, observed);
    case CertificateAction::kIssueLeaf:
      return IssueLeaf(observed);
    case CertificateAction::kRetireOld:
      return WriteAuthority(observed.authority, {}, observed);
  }
  return std::nullopt;
}

std::optional<std::string> Certificates::CreateAuthority(const CertificatePlan& plan,
                                                         const Observed& observed) {
  const auto authority = pki::CreateAuthority("shm-operator CA", observed.facts.now,
                                              options_.policy.authority_lifetime);
  if (!authority.ok()) return authority.error().ToString();
  return WriteAuthority(*authority, plan.trusted, observed);
}

std::optional<std::string> Certificates::WriteAuthority(const pki::KeyPair& authority,
                                                        const std::vector<std::string>& old,
                                                        const Observed& observed) {
  std::string old_pems;
  for (const std::string& sha256 : old) {
    const auto pem = observed.pem_by_sha256.find(sha256);
    if (pem != observed.pem_by_sha256.end()) old_pems += pem->second;
  }
  return WriteSecret(options_.ca_secret, "kubernetes.io/tls",
                     {{"tls.crt", authority.certificate_pem},
                      {"tls.key", authority.key_pem},
                      {kOldAuthorities, old_pems}});
}

std::optional<std::string> Certificates::IssueLeaf(const Observed& observed) {
  const auto leaf = pki::IssueServing(observed.authority, observed.dns_names, observed.facts.now,
                                      options_.policy.leaf_lifetime);
  if (!leaf.ok()) return leaf.error().ToString();
  return WriteSecret(options_.tls_secret, "kubernetes.io/tls",
                     {{"tls.crt", leaf->certificate_pem},
                      {"tls.key", leaf->key_pem},
                      {"ca.crt", observed.authority.certificate_pem}});
}

std::optional<std::string> Certificates::WriteSecret(
    const std::string& name, const std::string& type,
    const std::map<std::string, std::string>& data) {
  json metadata = {{"name", name},
                   {"labels", {{"app.kubernetes.io/managed-by", names::kFieldManager}}}};
  if (options_.owner) {
    metadata["ownerReferences"] = json::array({{{"apiVersion", options_.owner->api_version},
                                                {"kind", options_.owner->kind},
                                                {"name", options_.owner->name},
                                                {"uid", options_.owner->uid}}});
  }
  json values = json::object();
  for (const auto& [key, value] : data) values[key] = EncodeBase64(value);
  const auto result = api_.Apply(kube::Secrets(), {options_.namespace_name, name},
                                 {{"metadata", metadata}, {"type", type}, {"data", values}}, {});
  if (!result.ok()) return result.error().ToString();
  return std::nullopt;
}

// A JSON Patch of caBundle alone: server-side apply would want every entry's required fields, and
// would own what Helm renders (trap C2). It tests the entry's name, since entries have no key here.
std::optional<std::string> Certificates::PublishBundle(const CertificatePlan& plan,
                                                       const Observed& observed) {
  std::vector<std::string> pems;
  for (const std::string& sha256 : plan.trusted) {
    const auto pem = observed.pem_by_sha256.find(sha256);
    if (pem != observed.pem_by_sha256.end()) pems.push_back(pem->second);
  }
  const auto bundle = pki::JoinBundle(pems);
  if (!bundle.ok()) return bundle.error().ToString();
  json patch = json::array();
  std::size_t index = 0;
  for (const json& webhook : observed.configuration->value("webhooks", json::array())) {
    const std::string path = "/webhooks/" + std::to_string(index++);
    patch.push_back({{"op", "test"}, {"path", path + "/name"}, {"value", webhook["name"]}});
    patch.push_back({{"op", "add"},
                     {"path", path + "/clientConfig/caBundle"},
                     {"value", EncodeBase64(*bundle)}});
  }
  const auto result =
      api_.Patch(kube::MutatingWebhookConfigurations(), {"", options_.webhook_configuration},
                 kube::PatchType::kJson, patch, {});
  if (!result.ok()) return result.error().ToString();
  return std::nullopt;
}

}  // namespace shm::controller
