#include "core/children.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm {
namespace {

using nlohmann::json;

InferenceService Service() {
  InferenceService service;
  service.name = "qwen";
  service.namespace_name = "llm";
  service.uid = "u-1";
  service.generation = 3;
  return service;
}

json Spec() {
  return json::parse(R"({"tensorParallelSize": 2, "replicas": 2,
      "template": {"metadata": {"labels": {"team": "a"}, "annotations": {"note": "kept"}},
                   "spec": {"containers": [{"name": "vllm", "futureField": {"x": 1}}]}}})");
}

Stamp TwoGpus() {
  Stamp stamp{3, std::int64_t{2} << 30, 2, {}};
  stamp.degrees.tensor_parallel = 2;
  return stamp;
}

}  // namespace

TEST_CASE("a Deployment carries owner, label, stamp, and the user's template whole") {
  const json deployment = BuildDeployment(Service(), Spec(), TwoGpus());
  CHECK(deployment["metadata"]["ownerReferences"] ==
        json::parse(R"([{"apiVersion": "shm-operator.dev/v1alpha1",
      "kind": "InferenceService", "name": "qwen", "uid": "u-1", "controller": true,
      "blockOwnerDeletion": true}])"));
  CHECK(deployment["spec"]["replicas"] == 2);
  CHECK(deployment["spec"]["selector"]["matchLabels"] ==
        json{{"shm-operator.dev/service", "qwen"}});
  const json& pods = deployment["spec"]["template"];
  CHECK(pods["metadata"]["labels"] == json{{"team", "a"}, {"shm-operator.dev/service", "qwen"}});
  CHECK(pods["metadata"]["annotations"] == json{{"note", "kept"},
                                                {"shm-operator.dev/shm-size", "2Gi"},
                                                {"shm-operator.dev/gpu-count", "2"},
                                                {"shm-operator.dev/tensor-parallel-size", "2"}});
  CHECK(pods["spec"] == Spec()["template"]["spec"]);
}

TEST_CASE("a Deployment does not surge unless the user says so") {
  CHECK(BuildDeployment(Service(), Spec(), TwoGpus())["spec"]["strategy"] ==
        json::parse(
            R"({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})"));
  json spec = Spec();
  spec["strategy"] = {{"type", "Recreate"}};
  CHECK(BuildDeployment(Service(), spec, TwoGpus())["spec"]["strategy"] ==
        json{{"type", "Recreate"}});
}

TEST_CASE("a user's own annotation in the template wins over the stamp, never over the label") {
  json spec = Spec();
  spec["template"]["metadata"] = {{"labels", {{"shm-operator.dev/service", "other"}}},
                                  {"annotations", {{"shm-operator.dev/shm-size", "8Gi"}}}};
  const json metadata = BuildDeployment(Service(), spec, TwoGpus())["spec"]["template"]["metadata"];
  CHECK(metadata["labels"]["shm-operator.dev/service"] == "qwen");
  CHECK(metadata["annotations"]["shm-operator.dev/shm-size"] == "8Gi");
}

TEST_CASE("a template without metadata gets ours") {
  json spec = Spec();
  spec["template"].erase("metadata");
  const json metadata = BuildDeployment(Service(), spec, TwoGpus())["spec"]["template"]["metadata"];
  CHECK(metadata["labels"] == json{{"shm-operator.dev/service", "qwen"}});
  CHECK(metadata["annotations"]["shm-operator.dev/shm-size"] == "2Gi");
}

TEST_CASE("a stamp reads back from the Deployment it was written into") {
  const json deployment = BuildDeployment(Service(), Spec(), TwoGpus());
  CHECK(ReadStamp(deployment) == TwoGpus());
  CHECK(ReadStamp(json::object()) == std::nullopt);
}

TEST_CASE("a Service names its port http, 8000 unless the user says otherwise") {
  CHECK(BuildService(Service(), Spec())["spec"]["ports"] ==
        json::parse(R"([{"name": "http", "port": 8000, "targetPort": 8000, "protocol": "TCP"}])"));
  json spec = Spec();
  spec["port"] = 9000;
  CHECK(BuildService(Service(), spec)["spec"]["ports"][0]["port"] == 9000);
}

TEST_CASE("a selector is written as kubectl takes it") {
  InferenceService service = Service();
  CHECK(SelectorText(service) == "shm-operator.dev/service=qwen");
  service.selector = LabelSelector{{{"app", "engine"}},
                                   {{"tier", LabelSelector::Operator::kIn, {"a", "b"}},
                                    {"gone", LabelSelector::Operator::kDoesNotExist, {}}}};
  CHECK(SelectorText(service) == "app=engine,tier in (a,b),!gone");
}

}  // namespace shm
