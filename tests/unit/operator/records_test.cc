#include "operator/records.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm::controller {
namespace {

using nlohmann::json;

}  // namespace

TEST_CASE("a pod's record has what the webhook wrote and what the kubelet says") {
  const auto pod = ParsePod(json::parse(R"({
      "metadata": {"name": "p", "namespace": "llm",
        "labels": {"shm-operator.dev/service": "qwen", "shm-operator.dev/injected": "true"},
        "annotations": {"shm-operator.dev/injection":
          "{\"v\":1,\"size\":\"2Gi\",\"gpus\":2,\"reasons\":[\"MemoryLimitTooSmall\"]}"}},
      "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})"));
  REQUIRE(pod.ok());
  CHECK(pod->service == "qwen");
  CHECK(pod->facts.ready);
  CHECK(pod->facts.injected);
  CHECK_FALSE(pod->ended);
}

TEST_CASE("a pod that is going or has ended does not count") {
  for (const char* text :
       {R"({"metadata": {"name": "p", "deletionTimestamp": "2026-01-01T00:00:00Z"}})",
        R"({"metadata": {"name": "p"}, "status": {"phase": "Succeeded"}})",
        R"({"metadata": {"name": "p"}, "status": {"phase": "Failed"}})"}) {
    const auto pod = ParsePod(json::parse(text));
    CHECK(pod->ended);
    CHECK(pod->going == (std::string(text).find("deletionTimestamp") != std::string::npos));
  }
}

TEST_CASE("a pod is replaceable where a controller owns it that would make another") {
  struct Case {
    const char* owners;
    bool replaceable;
  };
  const Case cases[] = {
      {R"([{"kind": "ReplicaSet", "uid": "r", "controller": true}])", true},
      {R"([{"kind": "RayCluster", "uid": "r", "controller": true}])", true},
      {R"([{"kind": "ReplicaSet", "uid": "r"}])", false},
      {R"([{"kind": "Backup", "uid": "b"}, {"kind": "StatefulSet", "uid": "s", "controller": true}])",
       true},
      {R"([{"kind": "Job", "uid": "j", "controller": true}])", false},
      {R"([{"kind": "Node", "uid": "n", "controller": true}])", false},
      {"[]", false},
      {"null", false},
  };
  for (const Case& c : cases) {
    json pod = json::parse(R"({"metadata": {"name": "p"}})");
    pod["metadata"]["ownerReferences"] = json::parse(c.owners);
    CHECK(ParsePod(pod)->facts.replaceable == c.replaceable);
  }
}

TEST_CASE("a pod that the webhook leaves out has opted out") {
  for (const char* metadata :
       {R"({"name": "p", "labels": {"shm-operator.dev/inject": "false"}})",
        R"({"name": "p", "annotations": {"kubernetes.io/config.mirror": "hash"}})"}) {
    json pod = {{"metadata", json::parse(metadata)}};
    CHECK(ParsePod(pod)->facts.opted_out);
  }
  CHECK_FALSE(ParsePod(json::parse(R"({"metadata": {"name": "p"}})"))->facts.opted_out);
}

TEST_CASE("objects of any shape are read without an exception") {
  for (const char* text :
       {"null", "7", "[]", R"({"metadata": 3, "status": []})",
        R"({"metadata": {"labels": [1], "ownerReferences": {"a": 1}}, "spec": "x"})"}) {
    const json object = json::parse(text);
    CHECK(ParsePod(object).ok());
    CHECK(ParseDeployment(object).ok());
    CHECK(ParseService(object).ok());
    CHECK(ParseNamespace(object).ok());
    CHECK(ParseFailure(object).ok());
    CHECK(ParseServiceRecord(object)->invalid.has_value());
  }
}

TEST_CASE("a Deployment's counts are of its present template alone") {
  json deployment = json::parse(R"({"metadata": {"name": "d", "generation": 2},
      "spec": {"replicas": 3}, "status": {"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 3}})");
  CHECK(ParseDeployment(deployment)->ready_replicas == 0);
  deployment["status"]["observedGeneration"] = 2;
  CHECK(ParseDeployment(deployment)->ready_replicas == 3);
  deployment["status"]["updatedReplicas"] = 1;
  CHECK(ParseDeployment(deployment)->ready_replicas == 1);
}

TEST_CASE("a namespace's record keeps our annotations alone") {
  const auto record = ParseNamespace(json::parse(R"({"metadata": {"name": "llm",
      "labels": {"shm-operator.dev/injection": "enabled"},
      "annotations": {"shm-operator.dev/size-per-gpu": "2Gi", "other": "x"}}})"));
  CHECK(record->enabled);
  CHECK(record->annotations.size() == 1);
}

}  // namespace shm::controller
