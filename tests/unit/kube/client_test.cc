#include "kube/client.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/kube/fakes.h"

namespace shm::kube {
namespace {

using testing::ScriptedTransport;
using Json = nlohmann::json;

const ObjectKey kKey{"llm", "qwen"};

struct World {
  ScriptedTransport transport;
  Client client{transport};
  const HttpRequest& Last() const { return transport.requests.back(); }
  Json Body() const { return Json::parse(Last().body); }
};

TEST_CASE("Paths name group, version, namespace and subresource") {
  CHECK(CollectionPath(Pods(), "llm") == "/api/v1/namespaces/llm/pods");
  CHECK(CollectionPath(Pods(), "") == "/api/v1/pods");
  CHECK(CollectionPath(Namespaces(), "llm") == "/api/v1/namespaces");
  CHECK(ObjectPath(Deployments(), kKey) == "/apis/apps/v1/namespaces/llm/deployments/qwen");
  CHECK(ObjectPath(InferenceServices(), kKey, "status") ==
        "/apis/shm-operator.dev/v1alpha1/namespaces/llm/inferenceservices/qwen/status");
  CHECK(ObjectPath(MutatingWebhookConfigurations(), {"", "a/b"}) ==
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/a%2Fb");
}

TEST_CASE("Server-side apply names manager, force and validation, and fills in who is meant") {
  World world;
  world.transport.Answer(200, R"({"kind":"Deployment"})");
  REQUIRE(world.client.Apply(Deployments(), kKey, {{"spec", {{"replicas", 2}}}}, {}).ok());
  CHECK(world.Last().method == "PATCH");
  CHECK(world.Last().content_type == "application/apply-patch+yaml");
  CHECK(world.Last().path ==
        "/apis/apps/v1/namespaces/llm/deployments/qwen"
        "?fieldManager=shm-operator&force=true&fieldValidation=Strict");
  CHECK(world.Body() == Json{{"apiVersion", "apps/v1"},
                             {"kind", "Deployment"},
                             {"metadata", {{"name", "qwen"}}},
                             {"spec", {{"replicas", 2}}}});
}

TEST_CASE("A status is applied to its subresource, a dry run says so") {
  World world;
  world.transport.Answer(200, "{}");
  REQUIRE(world.client.ApplyStatus(InferenceServices(), kKey, Json::object()).ok());
  CHECK(world.Last().path.find("/inferenceservices/qwen/status?") != std::string::npos);
  world.transport.Answer(201, "{}");
  WriteOptions dry;
  dry.dry_run = true;
  REQUIRE(world.client.Create(Pods(), "llm", Json::object(), dry).ok());
  CHECK(world.Last().method == "POST");
  CHECK(world.Last().path ==
        "/api/v1/namespaces/llm/pods?fieldManager=shm-operator&fieldValidation=Strict&dryRun=All");
}

TEST_CASE("The two patch types and an update go by their media types") {
  World world;
  for (int i = 0; i < 3; ++i) world.transport.Answer(200, "{}");
  REQUIRE(world.client.Patch(Pods(), kKey, PatchType::kMerge, Json::object(), {}).ok());
  CHECK(world.Last().content_type == "application/merge-patch+json");
  REQUIRE(world.client.Patch(Pods(), kKey, PatchType::kJson, Json::array(), {}).ok());
  CHECK(world.Last().content_type == "application/json-patch+json");
  REQUIRE(world.client.Update(Leases(), kKey, Json::object(), {}).ok());
  CHECK(world.Last().method == "PUT");
  CHECK(world.Last().content_type == "application/json");
}

TEST_CASE("A delete carries propagation and preconditions") {
  World world;
  world.transport.Answer(200, "{}");
  DeleteOptions options;
  options.propagation = Propagation::kForeground;
  options.uid = "u";
  options.resource_version = "7";
  REQUIRE(world.client.Delete(Deployments(), kKey, options).ok());
  CHECK(world.Last().method == "DELETE");
  CHECK(world.Body()["propagationPolicy"] == "Foreground");
  CHECK(world.Body()["preconditions"] == Json{{"uid", "u"}, {"resourceVersion", "7"}});
}

TEST_CASE("An eviction that a PodDisruptionBudget forbids is TooManyRequests") {
  World world;
  world.transport.Answer(429, R"({"kind":"Status","reason":"TooManyRequests","code":429})");
  const auto result = world.client.Evict(kKey, "u", true);
  CHECK(result.Is(ErrorReason::kTooManyRequests));
  CHECK(world.Last().path == "/api/v1/namespaces/llm/pods/qwen/eviction");
  CHECK(world.Body()["deleteOptions"]["preconditions"]["uid"] == "u");
  CHECK(world.Body()["deleteOptions"]["dryRun"] == Json{"All"});
}

TEST_CASE("W5: a list comes page by page, item by item") {
  World world;
  world.transport.Answer(
      200, R"({"items":[{"n":1,"items":[{}]},{"n":2}],"metadata":{"continue":"c 1"}})");
  world.transport.Answer(200, R"({"metadata":{"resourceVersion":"9"},"items":[{"n":3}]})");
  std::vector<int> seen;
  ListOptions options;
  options.label_selector = "a=b";
  options.page_size = 2;
  const auto version = world.client.List(Pods(), "llm", options,
                                         [&seen](Json&& item) { seen.push_back(item["n"]); });
  REQUIRE(version.ok());
  CHECK(*version == "9");
  CHECK(seen == std::vector<int>{1, 2, 3});
  CHECK(world.transport.requests[0].path ==
        "/api/v1/namespaces/llm/pods?labelSelector=a%3Db&limit=2");
  CHECK(world.Last().path.find("&continue=c%201") != std::string::npos);
}

TEST_CASE("An answer that is no object, or no list, is an error") {
  for (const char* body : {"", "[]", "7", "{", "not JSON", R"({"kind":"Pod"})"}) {
    INFO(body);
    World world;
    world.transport.Answer(200, body);
    const auto list = world.client.List(Pods(), "", {}, [](Json&&) {});
    CHECK(list.Is(ErrorReason::kMalformed));
  }
  World world;
  world.transport.Answer(200, std::string(100'000, '['));
  CHECK(world.client.Get(Pods(), kKey).Is(ErrorReason::kMalformed));
}

TEST_CASE("After Cancel every call says so") {
  World world;
  world.transport.Answer(200, "{}");
  world.client.Cancel();
  CHECK(world.client.Get(Pods(), kKey).Is(ErrorReason::kCancelled));
}

TEST_CASE("Text that is not UTF-8 is sent as something, not thrown at") {
  World world;
  world.transport.Answer(200, "{}");
  CHECK(world.client.Create(Pods(), "llm", {{"a", "\xff"}}, {}).ok());
}

}  // namespace
}  // namespace shm::kube
