#include "cli/krm.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "manifest/yaml_reader.h"
#include "tests/unit/cli/run.h"

namespace shm::cli {
namespace {

using nlohmann::json;

Outcome Krm(const std::string& input) { return RunWith({"krm"}, input); }

json ReadYaml(const std::string& text) {
  return json(std::get<manifest::Json>(manifest::ReadYaml(text)));
}

const std::string kList = R"(apiVersion: config.kubernetes.io/v1
kind: ResourceList
functionConfig:
  kind: ConfigMap
  data: {sizePerGPU: 2Gi, namespace: llm}
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: qwen
    annotations: {internal.config.kubernetes.io/path: apps/qwen.yaml, internal.config.kubernetes.io/index: "1"}
  spec:
    template:
      metadata: {labels: {app: engine}}
      spec: {containers: [{name: vllm, env: [{name: FLAG, value: "yes"}]}]}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: other}
- apiVersion: shm-operator.dev/v1alpha1
  kind: InferenceService
  metadata: {name: qwen, namespace: llm}
  spec: {tensorParallelSize: 2, gpuCount: 2, selector: {matchLabels: {app: engine}}}
)";

std::string With(std::string text, const std::string& part, const std::string& instead) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), instead);
}

}  // namespace

TEST_CASE("A KRM function sizes the pods among its items and says so with their file") {
  const Outcome outcome = Krm(kList);
  CHECK(outcome.code == 0);
  const json list = ReadYaml(outcome.out);
  const json& pod = list["items"][0]["spec"]["template"]["spec"];
  CHECK(pod["volumes"][0]["emptyDir"]["sizeLimit"] == "4Gi");
  CHECK(pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "2");
  CHECK(pod["containers"][0]["env"].back()["value"] == "yes");
  CHECK(list["items"][1] == ReadYaml(kList)["items"][1]);
  CHECK(list["items"][2] == ReadYaml(kList)["items"][2]);
  REQUIRE(list["results"].size() == 1);
  const json& result = list["results"][0];
  CHECK(result["severity"] == "info");
  CHECK(result["resourceRef"]["name"] == "qwen");
  CHECK(result["field"]["path"] == "spec.template");
  CHECK(result["file"] == json({{"path", "apps/qwen.yaml"}, {"index", 1}}));
}

TEST_CASE("A second run of the KRM function changes nothing more") {
  const json once = ReadYaml(Krm(kList).out);
  CHECK(ReadYaml(Krm(Krm(kList).out).out)["items"] == once["items"]);
}

TEST_CASE("An item that fails is a result of severity error, left as it is, and ends with 1") {
  const std::string unknown =
      With(kList, "labels: {app: engine}", "labels: {shm-operator.dev/service: nobody}");
  const Outcome refused = Krm(unknown);
  CHECK(refused.code == 1);
  const json list = ReadYaml(refused.out);
  CHECK(list["items"] == ReadYaml(unknown)["items"]);
  CHECK(list["results"][0]["severity"] == "error");

  const Outcome wrong = Krm(With(kList, "name: vllm", "name: 3"));
  CHECK(wrong.code == 1);
  CHECK(ReadYaml(wrong.out)["results"][0]["field"]["path"] ==
        "spec.template.spec.containers[0].name");
}

TEST_CASE(
    "What is no ResourceList, or is configured wrongly, ends with 2 and leaves stdout empty") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "ResourceList"},
      {"kind: List\n", "ResourceList"},
      {"a: [\n", "stdin:1"},
      {"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: x\n", "stdin:3: items"},
      {"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: [5]\n", "items[0]"},
      {With(kList, "sizePerGPU: 2Gi", "sizePerGpu: 2Gi"), "functionConfig.data.sizePerGpu"},
      {With(kList, "sizePerGPU: 2Gi", "sizePerGPU: much"), "\"much\""},
      {With(kList, "sizePerGPU: 2Gi", "audit: 'perhaps'"), "\"perhaps\""},
      {With(kList, "tensorParallelSize: 2", "tensorParallelSize: 5000"), "stdin:22: items[2].spec"},
  };
  for (const auto& [input, said] : cases) {
    const Outcome outcome = Krm(input);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(said) != std::string::npos);
  }
}

}  // namespace shm::cli
