#include "core/memory_plan.h"

#include <catch2/catch.hpp>

#include "core/quantity.h"

namespace shm {
namespace {

using Limit = std::optional<std::int64_t>;

struct C {
  const char* limit;  // null: none
  bool init = false;
  bool sidecar = false;
};

PodView Pod(const std::vector<C>& containers, const char* pod_limit = nullptr) {
  PodView pod;
  for (const C& c : containers) {
    auto& list = c.init ? pod.init_containers : pod.containers;
    list.emplace_back();
    list.back().name = "c" + std::to_string(list.size() - 1);
    list.back().init = c.init;
    list.back().sidecar = c.sidecar;
    if (c.limit) list.back().resources.limits = ResourceList{{"memory", c.limit}};
  }
  if (pod_limit) pod.resources.limits = ResourceList{{"memory", pod_limit}};
  return pod;
}

std::string Reasons(const Notes& notes) {
  std::string text;
  for (const Note& note : notes) text += std::string(ReasonName(note.reason)) + " ";
  return text;
}

SizingRules Rules(MemoryLimitPolicy policy) {
  SizingRules rules;
  rules.memory_limit_policy = policy;
  return rules;
}

}  // namespace

TEST_CASE("S2: a pod has the limit that the kubelet sees") {
  struct Case {
    const char* name;
    PodView pod;
    Limit limit;
  };
  const Case cases[] = {
      {"none", Pod({{nullptr}}), std::nullopt},
      {"of its own", Pod({{nullptr}, {nullptr}}, "3Gi"), 3 * kGibibyte},
      {"its own goes before its containers'", Pod({{"1Gi"}}, "3Gi"), 3 * kGibibyte},
      {"all containers", Pod({{"1Gi"}, {"2Gi"}}), 3 * kGibibyte},
      {"one container without", Pod({{"1Gi"}, {nullptr}}), std::nullopt},
      {"an init container without", Pod({{"1Gi"}, {nullptr, true}}), std::nullopt},
      {"a larger init container", Pod({{"1Gi"}, {"5Gi", true}, {"2Gi", true}}), 5 * kGibibyte},
      {"a sidecar", Pod({{"1Gi"}, {"2Gi", true, true}}), 3 * kGibibyte},
      {"an init container behind a sidecar", Pod({{"1Gi"}, {"2Gi", true, true}, {"3Gi", true}}),
       5 * kGibibyte},
      {"an init container before a sidecar", Pod({{"1Gi"}, {"3Gi", true}, {"2Gi", true, true}}),
       3 * kGibibyte},
      {"zero is no limit", Pod({{"0"}}), std::nullopt},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(OriginalPodMemoryLimit(c.pod, std::nullopt) == c.limit);
  }
}

TEST_CASE("S1: a limit holds a size if there is headroom beside it") {
  struct Case {
    const char* name;
    PodView pod;
    std::int64_t size;
    const char* reasons;
  };
  const Case cases[] = {
      {"no limit", Pod({{nullptr}}), 64 * kGibibyte, ""},
      {"just fits", Pod({{"3Gi"}, {nullptr}}), 2 * kGibibyte, ""},
      {"a byte too little", Pod({{"3221225471"}, {nullptr}}), 2 * kGibibyte,
       "MemoryLimitTooSmall "},
      {"the pod's limit just holds it", Pod({{nullptr}}, "2Gi"), 2 * kGibibyte, ""},
      {"the pod's limit does not", Pod({{nullptr}}, "2Gi"), 2 * kGibibyte + 1,
       "PodMemoryLimitTooSmall "},
      {"both", Pod({{"2Gi"}}), 3 * kGibibyte, "MemoryLimitTooSmall PodMemoryLimitTooSmall "},
      {"beyond all numbers", Pod({{"2Gi"}, {nullptr}}), INT64_MAX, "MemoryLimitTooSmall "},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const GpuContainers gpus = FindGpuContainers(c.pod, "nvidia.com/gpu", "");
    const MemoryPlan warn =
        PlanMemory(c.pod, gpus, c.size, Rules(MemoryLimitPolicy::kWarn), std::nullopt);
    CHECK(Reasons(warn.notes) == c.reasons);
    CHECK_FALSE(warn.reject);
    CHECK_FALSE(warn.limit);
    const MemoryPlan reject =
        PlanMemory(c.pod, gpus, c.size, Rules(MemoryLimitPolicy::kReject), std::nullopt);
    CHECK(reject.reject == !std::string(c.reasons).empty());
  }
}

TEST_CASE("policy Raise adds the size to limit and request, of container and pod, and says so") {
  PodView pod = Pod({{"2Gi"}}, "3Gi");
  pod.containers[0].resources.requests = ResourceList{{"memory", "1Gi"}};
  const GpuContainers gpus = FindGpuContainers(pod, "nvidia.com/gpu", "");
  const MemoryPlan plan =
      PlanMemory(pod, gpus, 2 * kGibibyte, Rules(MemoryLimitPolicy::kRaise), std::nullopt);
  CHECK(plan.container == &pod.containers[0]);
  CHECK(plan.limit == 4 * kGibibyte);
  CHECK(plan.request == 3 * kGibibyte);
  CHECK(plan.pod_limit == 5 * kGibibyte);
  CHECK_FALSE(plan.pod_request);
  CHECK(Reasons(plan.notes) == "MemoryLimitRaised ");
  CHECK_THAT(plan.notes[0].message, Catch::Contains("LimitRange"));
  CHECK(plan.raised == RaisedMemory{"c0", 2 * kGibibyte, "2Gi", "1Gi", "3Gi", std::nullopt});
}

TEST_CASE("A7: what an earlier pass raised is known, and only the difference is added") {
  struct Case {
    const char* name;
    const char* limit;
    std::int64_t size;
    MemoryLimitPolicy policy;
    RaisedMemory before;
    Limit new_limit;
    std::int64_t recorded;
  };
  const RaisedMemory by_two{"c0", 2 * kGibibyte, "2Gi", std::nullopt, std::nullopt, std::nullopt};
  RaisedMemory other = by_two;
  other.container = "another";
  RaisedMemory absurd = by_two;
  absurd.bytes = INT64_MAX;
  using Policy = MemoryLimitPolicy;
  const Case cases[] = {
      {"the same size", "4Gi", 2 * kGibibyte, Policy::kRaise, by_two, std::nullopt, 2},
      {"a larger one", "4Gi", 3 * kGibibyte, Policy::kRaise, by_two, 5 * kGibibyte, 3},
      {"a smaller one keeps it", "4Gi", kGibibyte, Policy::kRaise, by_two, std::nullopt, 2},
      {"policy Warn since", "4Gi", 2 * kGibibyte, Policy::kWarn, by_two, std::nullopt, 2},
      {"policy Reject since", "4Gi", 2 * kGibibyte, Policy::kReject, by_two, std::nullopt, 2},
      {"of another container", "2Gi", 2 * kGibibyte, Policy::kRaise, other, 4 * kGibibyte, 2},
      {"a record that cannot be", "2Gi", 2 * kGibibyte, Policy::kRaise, absurd, 4 * kGibibyte, 2},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const PodView pod = Pod({{c.limit}, {nullptr}});
    const GpuContainers gpus = FindGpuContainers(pod, "nvidia.com/gpu", "");
    const MemoryPlan plan = PlanMemory(pod, gpus, c.size, Rules(c.policy), c.before);
    CHECK(plan.limit == c.new_limit);
    CHECK_FALSE(plan.reject);
    REQUIRE(plan.raised);
    CHECK(plan.raised->bytes == c.recorded * kGibibyte);
    CHECK(plan.raised->limit == "2Gi");
  }
}

}  // namespace shm
