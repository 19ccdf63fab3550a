// Whether a pod's memory limits hold its /dev/shm, and what is done where they do not.
//
// The pages of a tmpfs are charged to the container that writes them (trap S1), and the kubelet
// makes it no larger than the pod's limit (trap S2): min(sizeLimit, pod limit, node allocatable),
// where the pod has a limit if spec.resources gives one, or if every container, init ones included,
// has one (kubelet: calculateEmptyDirMemorySize; component-helpers: PodLimits).
//
// Pure; safe from any thread. Pointers lead into the PodView.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/defaults.h"
#include "core/gpu_containers.h"
#include "core/injection_record.h"
#include "core/pod_view.h"
#include "core/reason.h"

namespace shm {

// Bytes of a container's (or pod's) memory limit or request; nothing where there is none to read.
std::optional<std::int64_t> MemoryIn(const std::optional<ResourceList>& list);

// A container's memory limit without what an earlier pass added to it.
std::optional<std::int64_t> OriginalMemoryLimit(const ContainerView& container,
                                                const std::optional<RaisedMemory>& raised);

// The pod's memory limit as the kubelet sees it, without what an earlier pass added.
std::optional<std::int64_t> OriginalPodMemoryLimit(const PodView& pod,
                                                   const std::optional<RaisedMemory>& raised);

struct MemoryPlan {
  Notes notes;
  bool reject = false;                       // policy Reject, and it does not fit
  const ContainerView* container = nullptr;  // whose limit is raised; null: none
  std::optional<std::int64_t> limit;         // new values to set, bytes
  std::optional<std::int64_t> request;
  std::optional<std::int64_t> pod_limit;
  std::optional<std::int64_t> pod_request;
  std::optional<RaisedMemory> raised;  // to be recorded
};

// `size`: of /dev/shm, bytes. `before`: what an earlier pass recorded; only the difference to it is
// added.
MemoryPlan PlanMemory(const PodView& pod, const GpuContainers& gpus, std::int64_t size,
                      const SizingRules& rules, const std::optional<RaisedMemory>& before);

}  // namespace shm
