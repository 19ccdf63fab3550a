// Which containers of a pod have GPUs, how many, and which one is given them.
//
// Pure; safe from any thread. Pointers lead into the PodView.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/claim_gpus.h"
#include "core/pod_view.h"

namespace shm {

inline constexpr int kMostGpus = 1024;

// nvidia.com/gpu and its shared kinds, nvidia.com/mig-*, the GPUs and accelerators of other
// vendors that are known, and `own_name`, the gpuResourceName of an InferenceService.
bool IsGpuResource(std::string_view resource, std::string_view own_name);

// GPUs of a container by its resources, 0 to kMostGpus; nothing where it names no GPU resource at
// all. A count of 0 that a user wrote is a count.
std::optional<int> GpusOf(const ContainerView& container, std::string_view own_name);

struct GpuContainers {
  // Those that run (sidecars included) and have GPUs, in the pod's order: containers first. Where
  // none has any: the one that is to be given them, alone.
  std::vector<const ContainerView*> containers;
  std::vector<int> gpus;                   // of each of them, resources and claims
  std::int64_t shared = 0;                 // of their sum, what several have by one claim
  bool requested = false;                  // they have GPUs of their own
  std::vector<const ContainerView*> init;  // ordinary init containers with GPUs
  int init_gpus = 0;                       // the most that one of them has
  bool name_missing = false;               // no container has the wanted name

  // GPUs of the pod: max(Σ containers, largest ordinary init container). A claim that several
  // share counts once.
  int Total() const;
};

// `wanted_name`: containerName of an InferenceService, or empty. Else the first that has a known
// name (kserve-container, main, vllm, worker, engine), else the only one, else the first. `claims`:
// of the same pod, where they are counted.
GpuContainers FindGpuContainers(const PodView& pod, std::string_view own_name,
                                std::string_view wanted_name, const ClaimGpus& claims = {});

}  // namespace shm
