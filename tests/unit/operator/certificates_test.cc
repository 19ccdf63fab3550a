#include "operator/certificates.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base64.h"
#include "tests/unit/kube/fake_api.h"
#include "tests/unit/kube/fakes.h"

namespace shm::controller {
namespace {

using nlohmann::json;
using std::chrono::seconds;

const kube::ObjectKey kConfiguration{"", "shm-operator"};
const kube::ObjectKey kCaSecret{"shm-system", "shm-operator-ca"};
const kube::ObjectKey kTlsSecret{"shm-system", "shm-operator-webhook-tls"};

// An API server that takes the one kind of JSON Patch that caBundle is written by.
class Cluster : public kube::testing::FakeApi {
 public:
  bool serves_services = true;

  kube::ApiResult<json> Get(const kube::ResourceType& type, const kube::ObjectKey& key) override {
    if (!serves_services && type == kube::Services()) {
      kube::ApiError error;
      error.reason = kube::ErrorReason::kInternalError;
      return error;
    }
    return FakeApi::Get(type, key);
  }
  kube::ApiResult<json> Patch(const kube::ResourceType& type, const kube::ObjectKey& key,
                              kube::PatchType kind, const json& patch,
                              const kube::WriteOptions& options) override {
    REQUIRE(kind == kube::PatchType::kJson);
    json object = *Peek(type, key);
    object.erase("metadata");
    return FakeApi::Patch(type, key, kind, object.patch(patch), options);
  }
};

json Entry(const std::string& name) {
  return {{"name", name},
          {"clientConfig",
           {{"service", {{"name", "shm-operator-webhook"}, {"namespace", "shm-system"}}}}}};
}

struct Bench {
  Cluster api;
  kube::testing::FakeClock clock;
  Certificates certificates;

  explicit Bench(CertificateMode mode = CertificateMode::kSelf)
      : certificates(api, Options(mode), clock) {
    Put(kube::MutatingWebhookConfigurations(), kConfiguration,
        {{"webhooks", {Entry("labelled"), Entry("namespace")}}});
    Put(kube::Services(), {"shm-system", "shm-operator-webhook"},
        {{"spec", {{"selector", {{"app", "webhook"}}}}}});
  }

  static CertificateOptions Options(CertificateMode mode) {
    CertificateOptions options;
    options.policy.mode = mode;
    options.policy.propagation = 30;
    options.policy.overlap = 60;
    options.namespace_name = "shm-system";
    options.webhook_configuration = kConfiguration.name;
    options.webhook_service = "shm-operator-webhook";
    options.ca_secret = kCaSecret.name;
    options.tls_secret = kTlsSecret.name;
    return options;
  }

  void Put(const kube::ResourceType& type, const kube::ObjectKey& key, json object) {
    object["metadata"]["name"] = key.name;
    REQUIRE(api.Apply(type, key, object, {}).ok());
  }
  // With an address of a port that nobody listens on.
  void AddPod(const std::string& name, json container_statuses) {
    Put(kube::Pods(), {"shm-system", name},
        {{"status",
          {{"podIP", "127.0.0.1"}, {"containerStatuses", std::move(container_statuses)}}}});
  }

  std::string Data(const kube::ObjectKey& secret, const char* key) const {
    const json object = *api.Peek(kube::Secrets(), secret);
    return *DecodeBase64(object.at("data").at(key).get_ref<const std::string&>());
  }
  // What both entries hold.
  std::string Bundle() const {
    const json webhooks =
        api.Peek(kube::MutatingWebhookConfigurations(), kConfiguration)->at("webhooks");
    const std::string first = webhooks[0]["clientConfig"].at("caBundle");
    CHECK(webhooks[1]["clientConfig"].at("caBundle") == first);
    return *DecodeBase64(first);
  }
  bool Trusts(const std::string& authority) const {
    return Bundle().find(authority) != std::string::npos;
  }
  // Whether who trusts caBundle accepts the serving certificate.
  bool ServingIsTrusted() const {
    return pki::VerifyPair(Data(kTlsSecret, "tls.crt"), Data(kTlsSecret, "tls.key"), Bundle(),
                           "shm-operator-webhook.shm-system.svc", UnixNow())
        .ok();
  }
  std::int64_t UnixNow() const {
    return std::chrono::duration_cast<seconds>(clock.WallNow().time_since_epoch()).count();
  }
  void Pass(seconds time) {
    clock.Advance(time);
    certificates.Advance();
  }
};

TEST_CASE("A first installation has its certificates at once") {
  Bench bench;
  bench.certificates.Advance();
  CHECK(bench.Bundle() == bench.Data(kCaSecret, "tls.crt"));
  CHECK(bench.ServingIsTrusted());
}

TEST_CASE("C1: both Secrets deleted, the authority that replicas serve by stays in caBundle") {
  Bench bench;
  bench.certificates.Advance();
  const std::string before = bench.Data(kCaSecret, "tls.crt");
  const std::string served = bench.Data(kTlsSecret, "tls.crt");
  REQUIRE(bench.api.Delete(kube::Secrets(), kCaSecret, {}).ok());
  REQUIRE(bench.api.Delete(kube::Secrets(), kTlsSecret, {}).ok());

  bench.certificates.Advance();
  const std::string after = bench.Data(kCaSecret, "tls.crt");
  CHECK(after != before);
  CHECK(bench.Trusts(before));
  CHECK(bench.Trusts(after));
  bench.Pass(seconds(29));
  CHECK_FALSE(bench.api.Peek(kube::Secrets(), kTlsSecret));
  bench.Pass(seconds(1));
  CHECK(bench.Data(kTlsSecret, "tls.crt") != served);
  CHECK(bench.ServingIsTrusted());
  bench.Pass(seconds(59));
  CHECK(bench.Trusts(before));
  bench.Pass(seconds(1));
  CHECK(bench.Bundle() == after);
  CHECK(bench.ServingIsTrusted());
}

TEST_CASE("Only replicas whose process runs hold up the end of an old authority") {
  struct Row {
    const char* what;
    json container_statuses;
    bool holds;
  };
  const Row rows[] = {
      {"runs", {{{"state", {{"running", json::object()}}}}}, true},
      {"evicted", {{{"state", {{"terminated", json::object()}}}}}, false},
      {"in a crash loop", {{{"state", {{"waiting", json::object()}}}}}, false},
      {"not on a node yet", json::array(), false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    bench.certificates.Advance();
    bench.AddPod("replica", row.container_statuses);
    const std::string before = bench.Data(kCaSecret, "tls.crt");
    REQUIRE(bench.api.Delete(kube::Secrets(), kCaSecret, {}).ok());
    bench.certificates.Advance();
    bench.Pass(seconds(30));
    bench.Pass(seconds(3600));
    CHECK(bench.Trusts(before) == row.holds);
  }
}

TEST_CASE("An old authority stays while it cannot be seen what replicas serve") {
  Bench bench;
  bench.certificates.Advance();
  const std::string before = bench.Data(kCaSecret, "tls.crt");
  REQUIRE(bench.api.Delete(kube::Secrets(), kCaSecret, {}).ok());
  bench.certificates.Advance();
  bench.api.serves_services = false;
  bench.Pass(seconds(30));
  bench.Pass(seconds(3600));
  CHECK(bench.Trusts(before));
  bench.api.serves_services = true;
  bench.Pass(seconds(1));
  CHECK_FALSE(bench.Trusts(before));
}

TEST_CASE("All of a provided ca.crt goes into caBundle, so that its owner can rotate") {
  Bench bench(CertificateMode::kProvided);
  const auto old = pki::CreateAuthority("old", bench.UnixNow(), 3600);
  const auto next = pki::CreateAuthority("next", bench.UnixNow(), 3600);
  const auto leaf =
      pki::IssueServing(*old, {"shm-operator-webhook.shm-system.svc"}, bench.UnixNow(), 3600);
  const std::string both = next->certificate_pem + old->certificate_pem;
  bench.Put(kube::Secrets(), kTlsSecret,
            {{"data",
              {{"tls.crt", EncodeBase64(leaf->certificate_pem)},
               {"tls.key", EncodeBase64(leaf->key_pem)},
               {"ca.crt", EncodeBase64(both)}}}});
  bench.certificates.Advance();
  CHECK(bench.Bundle() == both);
  CHECK(bench.ServingIsTrusted());
}

}  // namespace
}  // namespace shm::controller
