#include "webhook/serving_certificate.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "pki/certificates.h"
#include "webhook/review.h"

namespace shm::webhook {
namespace {

using nlohmann::json;

constexpr std::int64_t kNow = 1'800'000'000;
const kube::ObjectKey kKey{"shm-system", "tls"};

json Secret(const std::string& certificate, const std::string& key) {
  return {{"metadata", {{"name", "tls"}}},
          {"data", {{"tls.crt", EncodeBase64(certificate)}, {"tls.key", EncodeBase64(key)}}}};
}

pki::KeyPair Pair() {
  const pki::KeyPair authority = *pki::CreateAuthority("ca", kNow, 1000);
  return *pki::IssueServing(authority, {"a.b.svc"}, kNow, 1000);
}

TEST_CASE("C4: the last good pair stays whatever becomes of the Secret") {
  const pki::KeyPair good = Pair();
  const auto tls = std::make_shared<runtime::ServerTls>();
  runtime::Metrics metrics;
  ServingCertificate sink("tls", tls, metrics);
  sink.BeginList();
  sink.EndList();
  CHECK(tls->context() == nullptr);
  sink.Upsert({"shm-system", "another"}, Secret(good.certificate_pem, good.key_pem));
  CHECK(tls->context() == nullptr);
  sink.Upsert(kKey, Secret(good.certificate_pem, good.key_pem));
  REQUIRE(tls->info().has_value());
  CHECK(tls->info()->not_after == kNow + 1000);
  const auto context = tls->context();
  const json damaged[] = {
      json::object(),
      {{"data", nullptr}},
      {{"data", {{"tls.crt", EncodeBase64(good.certificate_pem)}}}},
      {{"data", {{"tls.crt", "%%%%"}, {"tls.key", "%%%%"}}}},
      {{"data", {{"tls.crt", 7}, {"tls.key", 7}}}},
      Secret("", ""),
      Secret(good.certificate_pem.substr(0, 50), good.key_pem),
      Secret(good.certificate_pem, Pair().key_pem),
  };
  for (const json& secret : damaged) {
    CAPTURE(secret.dump());
    sink.Upsert(kKey, secret);
    CHECK(tls->context() == context);
  }
  sink.Remove(kKey);
  CHECK(tls->context() == context);
  CHECK_THAT(metrics.Exposition(),
             Catch::Contains("shm_webhook_certificate_loads_total{outcome=\"refused\"} 8"));
  const pki::KeyPair next = Pair();
  sink.Upsert(kKey, Secret(next.certificate_pem, next.key_pem));
  CHECK(tls->context() != context);
  CHECK_THAT(metrics.Exposition(),
             Catch::Contains("shm_webhook_certificate_not_after_seconds 1800001000"));
}

TEST_CASE("Base64 is read as it is written, and nothing else is") {
  for (const char* plain : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xff\xfe\xfd"}) {
    CHECK(*DecodeBase64(EncodeBase64(plain)) == plain);
  }
  for (const char* text : {"Zg=", "Zg", "Z===", "Zm9v!m9v", "====", "Zg==Zg==", "Z m9"}) {
    CAPTURE(text);
    CHECK_FALSE(DecodeBase64(text).ok());
  }
}

}  // namespace
}  // namespace shm::webhook
