#include "core/memory_plan.h"

#include <algorithm>

#include "core/quantity.h"

namespace shm {
namespace {

constexpr const char* kMemory = "memory";

// What an earlier pass added to this container; a record that cannot be true counts as none.
std::int64_t AddedTo(const ContainerView& container, const std::optional<RaisedMemory>& raised,
                     std::int64_t limit) {
  if (!raised || raised->container != container.name || raised->bytes > limit) return 0;
  return raised->bytes;
}

std::optional<std::int64_t> ExplicitPodLimit(const PodView& pod,
                                             const std::optional<RaisedMemory>& raised) {
  const auto limit = MemoryIn(pod.resources.limits);
  if (!limit || !raised || !raised->pod_limit || raised->bytes > *limit) return limit;
  return *limit - raised->bytes;
}

const ContainerView* FirstLimited(const GpuContainers& gpus) {
  const auto limited = [](const ContainerView* c) {
    return MemoryIn(c->resources.limits).has_value();
  };
  const auto found = std::find_if(gpus.containers.begin(), gpus.containers.end(), limited);
  return found == gpus.containers.end() ? nullptr : *found;
}

std::optional<std::string> MemoryText(const std::optional<ResourceList>& list) {
  if (!MemoryIn(list)) return std::nullopt;
  return list->at(kMemory);
}

std::optional<std::int64_t> Raise(const std::optional<ResourceList>& list, std::int64_t bytes) {
  const auto memory = MemoryIn(list);
  if (!memory) return std::nullopt;
  return AddSaturating(*memory, bytes);
}

void AddNotes(const ContainerView* container, std::optional<std::int64_t> limit,
              std::optional<std::int64_t> pod_limit, std::int64_t size, const SizingRules& rules,
              Notes* notes) {
  if (container && limit && AddSaturating(size, rules.memory_headroom) > *limit) {
    notes->push_back(
        {Reason::kMemoryLimitTooSmall,
         "the memory limit of container " + container->name + ", " + FormatBytes(*limit) +
             ", does not hold /dev/shm of " + FormatBytes(size) + " and " +
             FormatBytes(rules.memory_headroom) +
             " beside it: its pages are charged to that limit, and outlive a container that was "
             "killed for them"});
  }
  if (pod_limit && size > *pod_limit) {
    notes->push_back({Reason::kPodMemoryLimitTooSmall,
                      "the memory limit of the pod, " + FormatBytes(*pod_limit) + ", is below " +
                          FormatBytes(size) + ": the kubelet makes /dev/shm " +
                          FormatBytes(*pod_limit)});
  }
}

// Fills what policy Raise sets. `added`: what an earlier pass added already.
void PlanRaise(const PodView& pod, std::int64_t size, std::int64_t added,
               const std::optional<RaisedMemory>& before, MemoryPlan* plan) {
  RaisedMemory raised;
  if (plan->container) {
    raised.container = plan->container->name;
    raised.limit = MemoryText(plan->container->resources.limits);
    raised.request = MemoryText(plan->container->resources.requests);
  }
  raised.pod_limit = MemoryText(pod.resources.limits);
  raised.pod_request = MemoryText(pod.resources.requests);
  if (added > 0) raised = *before;  // the originals are those of the first pass
  raised.bytes = std::max(size, added);
  plan->raised = raised;

  const std::int64_t more = raised.bytes - added;
  if (plan->container) {
    plan->limit = Raise(plan->container->resources.limits, more);
    plan->request = Raise(plan->container->resources.requests, more);
  }
  plan->pod_limit = Raise(pod.resources.limits, more);
  plan->pod_request = Raise(pod.resources.requests, more);
  const std::string whose = plan->container ? "container " + plan->container->name : "the pod";
  plan->notes.push_back(
      {Reason::kMemoryLimitRaised,
       "the memory limit of " + whose + " is raised by " + FormatBytes(more) + " to " +
           FormatBytes(plan->limit ? *plan->limit : *plan->pod_limit) +
           " for /dev/shm; where a LimitRange or a quota then refuses the pod, use "
           "memoryLimitPolicy Warn or a smaller sharedMemory.size"});
}

}  // namespace

std::optional<std::int64_t> MemoryIn(const std::optional<ResourceList>& list) {
  if (!list) return std::nullopt;
  const auto found = list->find(kMemory);
  if (found == list->end()) return std::nullopt;
  const auto bytes = ParseQuantity(found->second);
  if (!bytes.ok() || *bytes == 0) return std::nullopt;  // 0: no limit, to the runtime
  return *bytes;
}

std::optional<std::int64_t> OriginalMemoryLimit(const ContainerView& container,
                                                const std::optional<RaisedMemory>& raised) {
  const auto limit = MemoryIn(container.resources.limits);
  if (!limit) return limit;
  return *limit - AddedTo(container, raised, *limit);
}

std::optional<std::int64_t> OriginalPodMemoryLimit(const PodView& pod,
                                                   const std::optional<RaisedMemory>& raised) {
  if (const auto limit = ExplicitPodLimit(pod, raised)) return limit;
  // Sidecars go on running beside what starts after them; ordinary init containers run one by one.
  std::int64_t sidecars = 0;
  std::int64_t most = 0;
  for (const ContainerView& container : pod.init_containers) {
    const auto limit = OriginalMemoryLimit(container, raised);
    if (!limit) return std::nullopt;
    if (container.sidecar) sidecars = AddSaturating(sidecars, *limit);
    most = std::max(most, container.sidecar ? sidecars : AddSaturating(sidecars, *limit));
  }
  std::int64_t sum = sidecars;
  for (const ContainerView& container : pod.containers) {
    const auto limit = OriginalMemoryLimit(container, raised);
    if (!limit) return std::nullopt;
    sum = AddSaturating(sum, *limit);
  }
  return std::max(sum, most);
}

MemoryPlan PlanMemory(const PodView& pod, const GpuContainers& gpus, std::int64_t size,
                      const SizingRules& rules, const std::optional<RaisedMemory>& before) {
  MemoryPlan plan;
  const ContainerView* container = FirstLimited(gpus);
  std::optional<std::int64_t> limit;
  if (container) limit = OriginalMemoryLimit(*container, before);
  AddNotes(container, limit, OriginalPodMemoryLimit(pod, before), size, rules, &plan.notes);

  // What an earlier pass added stays, and stays recorded, also where it is not needed any more.
  const std::int64_t added = container && limit ? *MemoryIn(container->resources.limits) - *limit
                             : before && before->container.empty() && MemoryIn(pod.resources.limits)
                                 ? *MemoryIn(pod.resources.limits) - *ExplicitPodLimit(pod, before)
                                 : 0;
  if (added > 0) plan.raised = before;
  if (added >= size) plan.notes.clear();
  if (plan.notes.empty()) return plan;
  if (rules.memory_limit_policy == MemoryLimitPolicy::kReject) {
    plan.reject = true;
  } else if (rules.memory_limit_policy == MemoryLimitPolicy::kRaise &&
             (container || MemoryIn(pod.resources.limits))) {
    plan.notes.clear();  // what was too small no longer is
    plan.container = container;
    PlanRaise(pod, size, added, before, &plan);
  }
  return plan;
}

}  // namespace shm
