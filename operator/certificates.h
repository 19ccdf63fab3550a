// Keeps the webhook's certificates: the CA Secret, the serving Secret, and caBundle.
//
// What to do is decided by core/certificate_plan.h; this observes, and does it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/certificate_plan.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "kube/lease.h"
#include "pki/certificates.h"

namespace shm::controller {

struct CertificateOptions {
  CertificatePolicy policy;
  std::string namespace_name;         // own
  std::string webhook_configuration;  // name of the MutatingWebhookConfiguration
  std::string webhook_service;
  std::string ca_secret;
  std::string tls_secret;
  std::optional<kube::OwnerReference> owner;  // of the Secrets
};

// Not thread-safe: used by the one thread that leads.
class Certificates {
 public:
  Certificates(kube::Api& api, CertificateOptions options, kube::Clock& clock);

  // Takes steps until nothing is left to do now. Returns after how long to come back.
  std::chrono::seconds Advance();

  // When the serving certificate ends, unix seconds; 0: none is known.
  std::int64_t leaf_not_after() const { return leaf_not_after_; }

 private:
  // What was read, behind the facts.
  struct Observed {
    CertificateFacts facts;
    pki::KeyPair authority;
    std::map<std::string, std::string> pem_by_sha256;  // of every authority that was seen
    std::vector<std::string> dns_names;                // that the configuration's entries call
    nlohmann::json* configuration = nullptr;
  };

  kube::ApiResult<Observed> Observe(nlohmann::json& configuration);
  kube::ApiResult<void> ReadAuthority(Observed& observed);
  kube::ApiResult<void> ReadLeaf(Observed& observed);
  void ReadConfiguration(const nlohmann::json& configuration, Observed& observed) const;
  std::vector<ReplicaFacts> AskReplicas(const std::string& server_name);
  void MeasurePublication(Observed& observed);
  std::optional<std::string> Execute(const CertificatePlan& plan, const Observed& observed);
  std::optional<std::string> CreateAuthority(const CertificatePlan& plan, const Observed& observed);
  std::optional<std::string> IssueLeaf(const Observed& observed);
  std::optional<std::string> WriteAuthority(const pki::KeyPair& authority,
                                            const std::vector<std::string>& old,
                                            const Observed& observed);
  std::optional<std::string> PublishBundle(const CertificatePlan& plan, const Observed& observed);
  std::optional<std::string> WriteSecret(const std::string& name, const std::string& type,
                                         const std::map<std::string, std::string>& data);

  kube::Api& api_;
  const CertificateOptions options_;
  kube::Clock& clock_;
  std::vector<std::string> published_;  // the bundle that every entry was last seen to hold
  std::chrono::steady_clock::time_point published_since_;
  std::int64_t leaf_not_after_ = 0;
};

}  // namespace shm::controller
