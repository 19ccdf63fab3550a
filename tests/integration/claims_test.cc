// Pods that have their GPUs by Dynamic Resource Allocation: no controller makes the claims here,
// but ResourceClaimTemplates are real, and pods reach the webhook by the real match conditions.
#include <catch2/catch.hpp>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;

void CreateTemplate(const std::string& ns, const std::string& name, const json& exactly) {
  Cluster().Must(
      "-n " + ns + " create -f -",
      json({{"apiVersion", "resource.k8s.io/v1"},
            {"kind", "ResourceClaimTemplate"},
            {"metadata", {{"name", name}}},
            {"spec",
             {{"spec", {{"devices", {{"requests", {{{"name", "gpu"}, {"exactly", exactly}}}}}}}}}}})
          .dump());
}

// Neither label nor annotation, and no extended resource: nothing but its claim.
json Pod(const std::string& from_template) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", "p"}}},
          {"spec",
           {{"resourceClaims", {{{"name", "gpus"}, {"resourceClaimTemplateName", from_template}}}},
            {"containers",
             {{{"name", "engine"},
               {"image", "example/engine"},
               {"resources", {{"claims", {{{"name", "gpus"}}}}}}}}}}}};
}

}  // namespace

TEST_CASE("a pod with nothing but a claim is sized by its ResourceClaimTemplate") {
  Installation::Get();
  const std::string ns = NewNamespace("claims", true);
  CreateTemplate(ns, "three", {{"deviceClassName", "gpu.nvidia.com"}, {"count", 3}});
  const json pod = json::parse(
      Cluster().Must("-n " + ns + " create -o json -f - 2>/dev/null", Pod("three").dump()));
  INFO(pod.dump(2) << Installation::Get().Logs());
  REQUIRE(pod["spec"].value("volumes", json::array()).size() == 1);
  CHECK(pod["spec"]["volumes"][0]["emptyDir"]["sizeLimit"] == "3Gi");
  const json& container = pod["spec"]["containers"][0];
  CHECK(container["volumeMounts"][0]["mountPath"] == "/dev/shm");
  CHECK(container["resources"] == json({{"claims", {{{"name", "gpus"}}}}}));
}

TEST_CASE("a claim for all devices of a node is a warning that says how to give the number") {
  Installation::Get();
  const std::string ns = NewNamespace("claims", true);
  CreateTemplate(ns, "all", {{"deviceClassName", "gpu.nvidia.com"}, {"allocationMode", "All"}});
  const ShellResult result = Cluster().Try("-n " + ns + " create -f - 2>&1", Pod("all").dump());
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.output, Catch::Contains("Warning: shm-operator: ResourceClaims: ") &&
                                Catch::Contains("gpuCount"));
}

}  // namespace shm::test
