#include "webhook/serving_certificate.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base64.h"
#include "runtime/log.h"

namespace shm::webhook {
namespace {

constexpr char kLoads[] = "shm_webhook_certificate_loads_total";
constexpr char kLoadsHelp[] = "Serving Secrets seen, by whether their pair was taken into use.";

Result<std::string> Entry(const nlohmann::json& secret, const char* name) {
  const auto data = secret.find("data");
  if (data == secret.end() || !data->is_object()) return Error{"data", "is missing"};
  const auto entry = data->find(name);
  if (entry == data->end() || !entry->is_string()) return Error{name, "is missing"};
  Result<std::string> decoded = DecodeBase64(entry->get_ref<const std::string&>());
  if (!decoded) return Error{name, decoded.error().message};
  return decoded;
}

}  // namespace

ServingCertificate::ServingCertificate(std::string secret, std::shared_ptr<runtime::ServerTls> tls,
                                       runtime::Metrics& metrics)
    : secret_(std::move(secret)), tls_(std::move(tls)), metrics_(metrics) {}

void ServingCertificate::Upsert(const kube::ObjectKey& key, const nlohmann::json& object) {
  if (key.name != secret_) return;
  seen_in_list_ = true;
  const auto before = tls_->info();
  if (const Result<void> used = Use(object); !used) {
    metrics_.Count(kLoads, kLoadsHelp, {{"outcome", "refused"}});
    return runtime::LogWarn(
        "serving certificate refused, the one in use stays",
        {{"secret", secret_}, {"error", used.error().ToString()}, {"serving", before.has_value()}});
  }
  const auto after = tls_->info();
  if (before == after) return;
  metrics_.Count(kLoads, kLoadsHelp, {{"outcome", "used"}});
  metrics_.Set("shm_webhook_certificate_not_after_seconds",
               "When the certificate in use ends, in unix seconds.",
               static_cast<double>(after->not_after));
  runtime::LogInfo(
      "serving certificate in use",
      {{"secret", secret_}, {"sha256", after->sha256}, {"not_after", after->not_after}});
}

void ServingCertificate::Remove(const kube::ObjectKey& key) {
  if (key.name != secret_) return;
  runtime::LogWarn("serving Secret deleted, the certificate in use stays", {{"secret", secret_}});
}

void ServingCertificate::EndList() {
  if (seen_in_list_) return;
  runtime::LogWarn("serving Secret not there",
                   {{"secret", secret_}, {"serving", tls_->info().has_value()}});
}

Result<void> ServingCertificate::Use(const nlohmann::json& secret) {
  const Result<std::string> certificate = Entry(secret, "tls.crt");
  if (!certificate) return certificate.error();
  const Result<std::string> key = Entry(secret, "tls.key");
  if (!key) return key.error();
  return tls_->SetPair(*certificate, *key);
}

}  // namespace shm::webhook
