#include "core/gpu_containers.h"

#include <catch2/catch.hpp>

#include "core/numbers.h"

namespace shm {
namespace {

PodView Read(const std::string& spec) {
  const auto pod = ReadPod(std::string_view(R"({"spec":)" + spec + "}"));
  INFO((pod.ok() ? "" : pod.error().ToString()));
  REQUIRE(pod.ok());
  return *pod;
}

std::string Names(const GpuContainers& found) {
  std::string names;
  for (std::size_t i = 0; i < found.containers.size(); ++i) {
    names += found.containers[i]->name + "=" + std::to_string(found.gpus[i]) + " ";
  }
  return names;
}

}  // namespace

TEST_CASE("GPUs are counted under the names that device plugins use") {
  struct Case {
    const char* resource;
    bool gpu;
  };
  const Case cases[] = {{"nvidia.com/gpu", true},
                        {"nvidia.com/gpu.shared", true},
                        {"nvidia.com/mig-1g.5gb", true},
                        {"nvidia.com/mig-3g.20gb.shared", true},
                        {"amd.com/gpu", true},
                        {"gpu.intel.com/i915", true},
                        {"habana.ai/gaudi", true},
                        {"example.com/own", true},
                        {"nvidia.com/gpumem", false},
                        {"gpu.intel.com/memory.max", false},
                        {"nvidia.com/pgpu", false},
                        {"memory", false},
                        {"rdma/hca", false},
                        {"nvidia.com/gpu2", false}};
  for (const Case& c : cases) {
    INFO(c.resource);
    CHECK(IsGpuResource(c.resource, "example.com/own") == c.gpu);
  }
}

TEST_CASE("GPUs go to the wanted container, else to those that ask, else by name or place") {
  struct Case {
    const char* name;
    const char* spec;
    const char* wanted;
    const char* found;
    int total;
  };
  const Case cases[] = {
      {"one that asks", R"({"containers":[{"name":"a"},{"name":"b","resources":{"limits":
           {"nvidia.com/gpu":"2"}}}]})",
       "", "b=2 ", 2},
      {"several that ask keep their own", R"({"containers":[
           {"name":"a","resources":{"limits":{"nvidia.com/gpu":"2"}}},
           {"name":"b","resources":{"requests":{"nvidia.com/gpu":1}}}]})",
       "b", "a=2 b=1 ", 3},
      {"a sidecar that asks", R"({"containers":[{"name":"a"}],"initContainers":[{"name":"s",
           "restartPolicy":"Always","resources":{"limits":{"nvidia.com/gpu":"1"}}}]})",
       "", "s=1 ", 1},
      {"a larger init container", R"({"containers":[{"name":"a","resources":{"limits":
           {"nvidia.com/gpu":"2"}}}],"initContainers":[{"name":"i","resources":{"limits":
           {"nvidia.com/gpu":"8"}}}]})",
       "", "a=2 ", 8},
      {"MIG and shared GPUs", R"({"containers":[{"name":"a","resources":{"limits":
           {"nvidia.com/mig-1g.5gb":"2","nvidia.com/gpu.shared":"1"}}}]})",
       "", "a=3 ", 3},
      {"one kind in requests, another in limits",
       R"({"containers":[{"name":"a","resources":{
           "limits":{"nvidia.com/gpu":"2"},"requests":{"nvidia.com/mig-1g.5gb":"3"}}}]})",
       "", "a=5 ", 5},
      {"none asks: the wanted", R"({"containers":[{"name":"main"},{"name":"b"}]})", "b", "b=0 ", 0},
      {"none asks: a known name", R"({"containers":[{"name":"a"},{"name":"engine"},
           {"name":"vllm"}]})",
       "", "vllm=0 ", 0},
      {"none asks: KServe's before others", R"({"containers":[{"name":"main"},
           {"name":"kserve-container"}]})",
       "", "kserve-container=0 ", 0},
      {"none asks: the first", R"({"containers":[{"name":"x"},{"name":"y"}]})", "", "x=0 ", 0},
      {"more than anybody has", R"({"containers":[{"name":"x","resources":{"limits":
           {"nvidia.com/gpu":"99999999999999999999"}}},{"name":"y","resources":{"limits":
           {"nvidia.com/gpu":"4000"}}}]})",
       "", "y=1024 ", 1024},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const PodView pod = Read(c.spec);
    const GpuContainers found = FindGpuContainers(pod, "nvidia.com/gpu", c.wanted);
    CHECK(Names(found) == c.found);
    CHECK(found.Total() == c.total);
  }
}

TEST_CASE("each number comes from the first source that has it") {
  const std::string pod_text = R"({"metadata":{"annotations":{
        "shm-operator.dev/tensor-parallel-size":"8","leaderworkerset.sigs.k8s.io/size":"4"}},
      "spec":{"containers":[{"name":"c","env":[
        {"name":"TENSOR_PARALLEL_SIZE","value":"2"},{"name":"PIPELINE_PARALLEL_SIZE","value":"3"},
        {"name":"RAY_NODE_COUNT","value":"9"},{"name":"RAY_NODE_COUNT","value":"2"}]}]}})";
  const auto pod = ReadPod(std::string_view(pod_text));
  REQUIRE(pod.ok());
  InferenceService service;
  service.degrees = {4, std::nullopt, 6};
  service.gpu_count = 7;
  const GpuContainers gpus = FindGpuContainers(*pod, "nvidia.com/gpu", "");

  const PodNumbers tied = ReadNumbers(*pod, {ServiceMatch::Tie::kLabel, &service, {}}, gpus);
  CHECK(tied.tensor_parallel.value == 8);
  CHECK(tied.tensor_parallel.source == Source::kAnnotation);
  CHECK(tied.pipeline_parallel.value == 3);
  CHECK(tied.pipeline_parallel.source == Source::kPodFacts);
  CHECK_FALSE(tied.pipeline_parallel.ours());
  CHECK(tied.data_parallel.value == 6);
  CHECK(tied.data_parallel.source == Source::kService);
  CHECK(tied.nodes.value == 2);  // of duplicate entries the last wins
  CHECK(tied.WantedGpus() == 7);

  service.node_count = 5;
  service.gpu_count.reset();
  const PodNumbers product = ReadNumbers(*pod, {ServiceMatch::Tie::kLabel, &service, {}}, gpus);
  CHECK(product.nodes.value == 5);
  CHECK(product.Product() == 8 * 3 * 6);
  CHECK(product.WantedGpus() == 29);  // 144 ÷ 5, rounded up
  CHECK_FALSE(product.Divides());

  const PodNumbers untied = ReadNumbers(*pod, {}, gpus);
  CHECK_FALSE(untied.data_parallel.value);
}

TEST_CASE("counts are decimal numbers from 1 to 1024") {
  CHECK(ParseCount("1") == 1);
  CHECK(ParseCount("1024") == 1024);
  CHECK(ParseCount("016") == 16);
  for (const char* text :
       {"", "0", "1025", "-1", "+1", "1.0", "0x10", " 1", "1e2", "99999999999"}) {
    INFO(text);
    CHECK_FALSE(ParseCount(text));
  }
}

}  // namespace shm
