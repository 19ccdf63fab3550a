#include "core/inference_service.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

json Object(json spec) {
  return {{"metadata",
           {{"name", "qwen"},
            {"namespace", "llm"},
            {"uid", "u"},
            {"resourceVersion", "7"},
            {"generation", 3},
            {"creationTimestamp", "2026-01-01T00:00:00Z"}}},
          {"spec", std::move(spec)}};
}

InferenceService Parse(json spec) {
  const auto service = ParseInferenceService(Object(std::move(spec)));
  INFO((service.ok() ? "" : service.error().ToString()));
  REQUIRE(service.ok());
  return *service;
}

}  // namespace

TEST_CASE("an InferenceService is read with all its fields") {
  const InferenceService service = Parse(json::parse(R"({
      "tensorParallelSize": 2, "pipelineParallelSize": 3, "dataParallelSize": 4, "nodeCount": 6,
      "gpuCount": 4, "gpuResourceName": "amd.com/gpu", "containerName": "llm", "replicas": 2,
      "sharedMemory": {"mode": "Disabled", "size": "3Gi", "sizePerGPU": 1048576,
                       "communicators": 8, "mountScope": "GPUContainers",
                       "memoryLimitPolicy": "Reject"},
      "repair": "Restart", "later": {"x": 1},
      "selector": {"matchLabels": {"a": "b"},
                   "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}})"));
  CHECK(service.name == "qwen");
  CHECK(service.namespace_name == "llm");
  CHECK(service.resource_version == "7");
  CHECK(service.generation == 3);
  CHECK_FALSE(service.deleting);
  CHECK(service.degrees == Degrees{2, 3, 4});
  CHECK(service.node_count == 6);
  CHECK(service.gpu_count == 4);
  CHECK(service.gpu_resource_name == "amd.com/gpu");
  CHECK(service.container_name == "llm");
  CHECK(service.shared_memory == SharedMemorySpec{SharedMemoryMode::kDisabled, 3 * kGibibyte,
                                                  kMebibyte, 8, MountScope::kGpuContainers,
                                                  MemoryLimitPolicy::kReject});
  CHECK(service.repair == RepairPolicy::kRestart);
  CHECK(service.selector ==
        LabelSelector{{{"a", "b"}}, {{"k", LabelSelector::Operator::kIn, {"v"}}}});
  CHECK_FALSE(service.has_template);
}

TEST_CASE("what an InferenceService leaves out stays unset, null included") {
  const InferenceService service =
      Parse({{"tensorParallelSize", nullptr}, {"template", json::object()}});
  CHECK(service.degrees == Degrees{});
  CHECK(service.gpu_resource_name == "nvidia.com/gpu");
  CHECK(service.shared_memory == SharedMemorySpec{});
  CHECK_FALSE(service.selector);
  CHECK(service.has_template);
}

TEST_CASE("a value of a wrong type or out of range is an error that names its field") {
  struct Case {
    const char* spec;
    const char* field;
  };
  const Case cases[] = {
      {R"({"tensorParallelSize": 0})", "spec.tensorParallelSize"},
      {R"({"tensorParallelSize": 1025})", "spec.tensorParallelSize"},
      {R"({"tensorParallelSize": 1.5})", "spec.tensorParallelSize"},
      {R"({"gpuCount": "2"})", "spec.gpuCount"},
      {R"({"gpuCount": 18446744073709551615})", "spec.gpuCount"},
      {R"({"containerName": 1})", "spec.containerName"},
      {R"({"sharedMemory": {"size": "-1Gi"}})", "spec.sharedMemory.size"},
      {R"({"sharedMemory": {"size": "0"}})", "spec.sharedMemory.size"},
      {R"({"sharedMemory": {"sizePerGPU": true}})", "spec.sharedMemory.sizePerGPU"},
      {R"({"sharedMemory": {"mode": "memory"}})", "spec.sharedMemory.mode"},
      {R"({"sharedMemory": {"mountScope": "All"}})", "spec.sharedMemory.mountScope"},
      {R"({"sharedMemory": 3})", "spec.sharedMemory"},
      {R"({"repair": "Never"})", "spec.repair"},
      {R"({"selector": {"matchLabels": {"a": 1}}})", "spec.selector.matchLabels"},
      {R"({"selector": {"matchExpressions": [{"key": "k", "operator": "Near"}]}})",
       "spec.selector.matchExpressions.operator"},
      {R"({"selector": {"matchExpressions": [{"operator": "Exists"}]}})",
       "spec.selector.matchExpressions.key"},
  };
  for (const Case& c : cases) {
    INFO(c.spec);
    const auto service = ParseInferenceService(Object(json::parse(c.spec)));
    REQUIRE_FALSE(service.ok());
    CHECK(service.error().field == c.field);
    CHECK_FALSE(service.error().message.empty());
  }
  CHECK(ParseInferenceService(json::array()).error().message == "must be an object");
  CHECK(ParseInferenceService(json::object()).error().field == "metadata.name");
}

TEST_CASE("GPUs a pod follow from gpuCount, else from the degrees over the nodes") {
  struct Case {
    const char* spec;
    std::optional<int> gpus;
  };
  const Case cases[] = {
      {R"({})", std::nullopt},
      {R"({"nodeCount": 2})", std::nullopt},
      {R"({"gpuCount": 8, "nodeCount": 2})", 8},
      {R"({"tensorParallelSize": 2})", 2},
      {R"({"tensorParallelSize": 2, "pipelineParallelSize": 2, "dataParallelSize": 2})", 8},
      {R"({"tensorParallelSize": 16, "nodeCount": 2})", 8},
      {R"({"tensorParallelSize": 2, "gpuCount": 4})", 4},
      {R"({"tensorParallelSize": 1024, "pipelineParallelSize": 1024, "nodeCount": 1024})", 1024},
  };
  for (const Case& c : cases) {
    INFO(c.spec);
    const auto gpus = GpusPerPod(Parse(json::parse(c.spec)));
    REQUIRE(gpus.ok());
    CHECK(*gpus == c.gpus);
  }
}

TEST_CASE("parallelism that does not add up is an error with the numbers") {
  struct Case {
    const char* spec;
    const char* words;
  };
  const Case cases[] = {
      {R"({"tensorParallelSize": 3, "gpuCount": 2})", "= 3 needs more than gpuCount 2"},
      {R"({"tensorParallelSize": 3, "nodeCount": 2})", "= 3 GPUs do not divide by nodeCount 2"},
      {R"({"tensorParallelSize": 1024, "dataParallelSize": 2})", "more than 1024 GPUs a pod"},
  };
  for (const Case& c : cases) {
    INFO(c.spec);
    const auto gpus = GpusPerPod(Parse(json::parse(c.spec)));
    REQUIRE_FALSE(gpus.ok());
    CHECK_THAT(gpus.error().ToString(), Catch::StartsWith("spec") && Catch::Contains(c.words));
  }
}

TEST_CASE("a selector implies another where each term follows from one of its own") {
  const auto read = [](const char* selector) {
    const auto service = ParseInferenceService(
        nlohmann::json{{"metadata", {{"name", "n"}, {"namespace", "ns"}}},
                       {"spec", {{"selector", nlohmann::json::parse(selector)}}}});
    REQUIRE(service.ok());
    return *service->selector;
  };
  struct Case {
    const char* narrow;
    const char* wide;
    bool implied;
  };
  const char* app = R"({"matchLabels": {"app": "a"}})";
  const char* app_in =
      R"({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]})";
  const char* app_not =
      R"({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["c"]}]})";
  const char* app_not_more =
      R"({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["c", "d"]}]})";
  const char* app_exists = R"({"matchExpressions": [{"key": "app", "operator": "Exists"}]})";
  const char* no_app = R"({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]})";
  const char* app_tier = R"({"matchLabels": {"app": "a", "tier": "t"}})";
  const std::vector<Case> cases = {
      {app, app, true},
      {app_tier, app, true},
      {app, app_tier, false},
      {app, app_in, true},
      {app_in, app, false},
      {app_in, app_not, true},
      {app_not, app_in, false},
      {app, app_exists, true},
      {app_exists, app, false},
      {no_app, app_not, true},
      {app_not, no_app, false},
      {no_app, no_app, true},
      {app_not_more, app_not, true},
      {app_not, app_not_more, false},
      {app, R"({"matchLabels": {"tier": "t"}})", false},
      {app, R"({"matchLabels": {"app": "b"}})", false},
  };
  for (const Case& test : cases) {
    INFO(test.narrow << " implies " << test.wide);
    CHECK(Implies(read(test.narrow), read(test.wide)) == test.implied);
  }
}

TEST_CASE("a label selector matches as Kubernetes matches") {
  using Operator = LabelSelector::Operator;
  const StringMap labels = {{"app", "engine"}, {"tier", "a"}};
  struct Case {
    LabelSelector selector;
    bool matches;
  };
  const Case cases[] = {
      {{{}, {}}, true},
      {{{{"app", "engine"}}, {}}, true},
      {{{{"app", "other"}}, {}}, false},
      {{{{"app", "engine"}, {"gone", ""}}, {}}, false},
      {{{}, {{"tier", Operator::kIn, {"b", "a"}}}}, true},
      {{{}, {{"tier", Operator::kIn, {"b"}}}}, false},
      {{{}, {{"gone", Operator::kIn, {"b"}}}}, false},
      {{{}, {{"tier", Operator::kNotIn, {"a"}}}}, false},
      {{{}, {{"gone", Operator::kNotIn, {"a"}}}}, true},
      {{{}, {{"tier", Operator::kExists, {}}}}, true},
      {{{}, {{"gone", Operator::kExists, {}}}}, false},
      {{{}, {{"gone", Operator::kDoesNotExist, {}}}}, true},
      {{{}, {{"tier", Operator::kDoesNotExist, {}}}}, false},
      {{{{"app", "engine"}}, {{"gone", Operator::kExists, {}}}}, false},
  };
  for (const Case& c : cases) CHECK(c.selector.Matches(labels) == c.matches);
}

}  // namespace shm
