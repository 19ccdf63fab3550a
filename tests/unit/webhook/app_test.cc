// The whole program but its main: real ports, an API server that is a hand-written fake.
#include "webhook/app.h"

#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/base64.h"
#include "pki/certificates.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::webhook {
namespace {

using nlohmann::json;
using runtime::testing::Peer;

json List(json items) {
  return {{"kind", "List"},
          {"apiVersion", "v1"},
          {"metadata", {{"resourceVersion", "7"}}},
          {"items", std::move(items)}};
}

json Service(const std::string& name) {
  return {{"apiVersion", "shm-operator.dev/v1alpha1"},
          {"kind", "InferenceService"},
          {"metadata",
           {{"name", name},
            {"namespace", "llm"},
            {"uid", "u"},
            {"resourceVersion", "1"},
            {"generation", 1},
            {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
          {"spec",
           {{"gpuCount", 2},
            {"tensorParallelSize", 2},
            {"template", {{"spec", {{"containers", {{{"name", "c"}}}}}}}}}}};
}

json Template() {
  return {{"metadata", {{"name", "t"}, {"namespace", "llm"}, {"resourceVersion", "1"}}},
          {"spec",
           {{"spec",
             {{"devices",
               {{"requests",
                 {{{"name", "r"}, {"exactly", {{"deviceClassName", "own"}, {"count", 4}}}}}}}}}}}}};
}

json ServingSecret() {
  const auto now = static_cast<std::int64_t>(std::time(nullptr));
  const pki::KeyPair authority = *pki::CreateAuthority("ca", now, 1000);
  const pki::KeyPair leaf = *pki::IssueServing(authority, {"a.b.svc"}, now, 1000);
  return {
      {"metadata", {{"name", "tls"}, {"namespace", "shm-system"}, {"resourceVersion", "1"}}},
      {"data",
       {{"tls.crt", EncodeBase64(leaf.certificate_pem)}, {"tls.key", EncodeBase64(leaf.key_pem)}}}};
}

// Lists what it holds, in pages; watches that nothing happens on. Secrets are there once allowed.
class FakeApiServer final : public kube::Transport {
 public:
  kube::SendResult Send(const kube::HttpRequest& request, std::chrono::milliseconds,
                        const std::stop_token& stop) override {
    kube::SendResult result;
    result.response.status = 200;
    if (!forbidden.empty() && request.path.find(forbidden) != std::string::npos) {
      result.response.status = 403;
    } else if (request.path.find("/secrets") != std::string::npos) {
      if (!WaitForSecret(stop)) result.failure = kube::TransportFailure::kCancelled;
      result.response.body = List(json::array({ServingSecret()})).dump();
    } else if (request.path.find("/resourceclaimtemplates") != std::string::npos) {
      result.response.status = claims_status;
      result.response.body = claims_status == 200 ? List(json::array({Template()})).dump() : "no";
    } else if (request.path.find("/inferenceservices") != std::string::npos) {
      result.response.body = List(json::array({Service("qwen")})).dump();
    } else {
      result.response.body =
          List(json::array({{{"metadata", {{"name", "llm"}, {"resourceVersion", "1"}}}}})).dump();
    }
    return result;
  }
  kube::StreamResult Open(const kube::HttpRequest& request, const std::chrono::milliseconds&,
                          const kube::LineConsumer&, const std::stop_token& stop) override {
    kube::StreamResult result;
    if (request.path.find("sendInitialEvents") != std::string::npos) {
      result.response.status = 422;
      return result;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [] { return false; });
    result.failure = kube::TransportFailure::kCancelled;
    return result;
  }
  std::string forbidden;    // part of paths that RBAC refuses; set before the program starts
  int claims_status = 200;  // of ResourceClaimTemplates; set before the program starts
  void AllowSecret() {
    const std::lock_guard lock(mutex_);
    secret_allowed_ = true;
    changed_.notify_all();
  }

 private:
  bool WaitForSecret(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [this] { return secret_allowed_; });
  }
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool secret_allowed_ = false;
};

std::string Get(std::uint16_t port, const std::string& path) {
  Peer peer(port);
  peer.Send("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  return peer.Receive();
}

// Asks again until the answer holds `text`.
bool Becomes(std::uint16_t port, const std::string& path, const std::string& text) {
  for (int i = 0; i < 100'000; ++i) {
    if (Get(port, path).find(text) != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

std::string Post(std::uint16_t port, const json& review) {
  Peer peer(port);
  if (!peer.StartTls()) return "no handshake";
  const std::string body = review.dump();
  peer.Send("POST /mutate/labelled?timeout=5s HTTP/1.1\r\nHost: a\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body);
  return peer.Receive("}}");
}

json Review() {
  return json::parse(R"({
    "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
    "request": {"uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "namespace": "llm", "operation": "CREATE",
                "object": {"metadata": {"generateName": "a-",
                                        "labels": {"shm-operator.dev/service": "qwen"}},
                           "spec": {"containers": [{"name": "c"}]}}}})");
}

TEST_CASE(
    "A13: the program is ready when all is there, answers, and ends without losing a request") {
  runtime::Signals signals;
  FakeApiServer api;
  runtime::WebhookConfig config;
  config.port = config.health_port = 0;
  config.tls_secret = "tls";
  config.shutdown_delay = 600;
  runtime::Metrics metrics;
  App app(config, "shm-system", api, metrics, signals);
  REQUIRE(app.Start().ok());
  const std::uint16_t health = app.health_port();

  CHECK(Get(health, "/healthz").find("200 OK") != std::string::npos);
  CHECK(Get(health, "/readyz").find("[-]certificate failed") != std::string::npos);
  // Waits for the certificate.
  auto early = std::async(std::launch::async, [&app] { return Post(app.port(), Review()); });
  api.AllowSecret();
  REQUIRE(Becomes(health, "/readyz", "200 OK"));
  CHECK_THAT(early.get(), Catch::Contains("\"uid\":\"u-1\",\"allowed\":true"));

  const std::string answer = Post(app.port(), Review());
  CHECK_THAT(answer,
             Catch::Contains("\"uid\":\"u-1\",\"allowed\":true,\"patchType\":\"JSONPatch\""));
  // Written just after the pair is in use, which is when the program is ready.
  CHECK(Becomes(health, "/metrics", "shm_webhook_certificate_not_after_seconds"));
  CHECK_THAT(Get(health, "/metrics"),
             Catch::Contains("shm_webhook_requests_total{entry=\"labelled\",outcome=\"patched\""));

  std::thread serving([&app] { app.Serve(); });
  kill(getpid(), SIGTERM);
  REQUIRE(Becomes(health, "/readyz", "[-]shutdown failed"));
  CHECK(Get(health, "/healthz").find("200 OK") != std::string::npos);
  CHECK_THAT(Post(app.port(), Review()),
             Catch::Contains("Connection: close") && Catch::Contains("\"patch\""));
  signals.Wake();  // the delay is over
  serving.join();
  CHECK_FALSE(Peer(app.port()).connected());
}

TEST_CASE("A client authority that cannot be read is an error, not a check left out") {
  runtime::Signals signals;
  FakeApiServer api;
  runtime::WebhookConfig config;
  config.port = config.health_port = 0;
  runtime::Metrics metrics;
  for (const char* path : {"/no/such/file", "/dev/null", "/"}) {
    CAPTURE(path);
    config.client_ca = path;
    App app(config, "shm-system", api, metrics, signals);
    const Result<void> started = app.Start();
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().field == "client-ca");
  }
}

TEST_CASE(
    "Claims are counted by the device classes that are set, if the API server has templates") {
  const int status = GENERATE(200, 404, 403);
  CAPTURE(status);
  runtime::Signals signals;
  FakeApiServer api;
  api.claims_status = status;
  api.AllowSecret();
  runtime::WebhookConfig config;
  config.port = config.health_port = 0;
  config.tls_secret = "tls";
  config.count_resource_claims = true;
  config.gpu_device_classes = {"own"};
  runtime::Metrics metrics;
  App app(config, "shm-system", api, metrics, signals);
  REQUIRE(app.Start().ok());
  REQUIRE(Becomes(app.health_port(), "/readyz", "200 OK"));
  CHECK(Get(app.health_port(), "/healthz").find("200 OK") != std::string::npos);

  json review = Review();
  review["request"]["object"] = json::parse(R"({"spec":{
      "resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
      "containers":[{"name":"c","resources":{"claims":[{"name":"g"}]}}]}})");
  const std::string answer = Post(app.port(), review);
  if (status == 200) {
    CHECK_THAT(answer, Catch::Contains("\"patch\""));
    CHECK_THAT(Get(app.health_port(), "/metrics"),
               Catch::Contains("shm_webhook_claim_templates 1"));
  } else {
    CHECK_THAT(answer, !Catch::Contains("\"patch\"") && Catch::Contains("ResourceClaims: "));
  }
}

TEST_CASE("Of several namespaces one that is refused holds up none of the others") {
  runtime::Signals signals;
  FakeApiServer api;
  api.forbidden = "gone";
  api.AllowSecret();
  runtime::WebhookConfig config;
  config.port = config.health_port = 0;
  config.tls_secret = "tls";
  config.watch_namespaces = {"gone", "llm"};
  runtime::Metrics metrics;
  App app(config, "shm-system", api, metrics, signals);
  REQUIRE(app.Start().ok());
  REQUIRE(Becomes(app.health_port(), "/readyz", "200 OK"));
  CHECK(Get(app.health_port(), "/healthz").find("200 OK") != std::string::npos);
  CHECK_THAT(Get(app.health_port(), "/metrics"), Catch::Contains("shm_webhook_watches_refused 2"));

  const auto answer = [&app](const char* name) {
    json review = Review();
    review["request"]["namespace"] = name;
    return Post(app.port(), review);
  };
  CHECK_THAT(answer("llm"), Catch::Contains("\"patch\""));
  CHECK_THAT(answer("gone"), Catch::Contains("not all InferenceServices are known yet"));
  CHECK_THAT(answer("other"), Catch::Contains("is not one of its watchNamespaces"));
}

}  // namespace
}  // namespace shm::webhook
