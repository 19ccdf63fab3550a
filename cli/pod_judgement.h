// One pod as it is judged: what it has at /dev/shm by its own words, what it may take of it, and
// what the operator decides for it. `scan` judges live pods by it, `check` those of manifests.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/surroundings.h"
#include "core/gpu_containers.h"
#include "core/mutation.h"
#include "core/pod_view.h"

namespace shm::cli {

// Left out by the webhook as the chart registers it, so that a cluster can always start (trap A11).
inline constexpr const char* kSystemNamespace = "kube-system";

// The names are a part of the output.
enum class Verdict {
  kTooSmall,  // it has less than it would get, or than NCCL and its engine may take
  kEnough,
  kNotOurs,  // opted out, or its /dev/shm is somebody else's affair: the reasons say whose
  kNoGpus,   // nothing says that it has GPUs
};
std::string_view VerdictName(Verdict verdict);  // "TooSmall"

// Who says how large a pod's /dev/shm is.
enum class ShmSource {
  kRuntime,          // no volume: the container runtime's 64 MiB
  kSizeLimit,        // of the memory-backed emptyDir that is mounted there
  kMemoryLimit,      // the pod's, where the emptyDir has no sizeLimit or a larger one (trap S2)
  kNodeAllocatable,  // neither of them (trap S3): how much is not known here
  kHostIpc,          // the node's own; not known here
  kForeignVolume,    // a volume that is no memory-backed emptyDir; not known here
  kReadOnly,         // a memory-backed emptyDir that cannot be written: 0 bytes
  kCrioAnnotation,   // CRI-O's, where it is the runtime and heeds it; not known here
};
std::string_view ShmSourceName(ShmSource source);  // "SizeLimit"

struct PresentShm {
  std::optional<std::int64_t> bytes;  // unset: not known
  ShmSource source = ShmSource::kRuntime;
};

// What the GPU containers of a pod have as it stands; of several that differ, the one with least. A
// node that can allocate less than a sizeLimit makes it smaller still, which is not seen here.
PresentShm FindPresentShm(const PodView& pod, const GpuContainers& gpus);

struct PodJudgement {
  PodDecision decision;
  std::string service;  // the InferenceService that it belongs to; or empty
  std::string engine;   // as a person calls it; empty: not known
  int gpus = 0;         // in the pod
  Degrees degrees;      // each from the first source that has it
  PresentShm present;
  std::int64_t need = 0;  // bytes that NCCL and the engine may take
  bool injected = false;  // the webhook was here
  // Whether the webhook would see the pod as it is made, as the chart registers it; unset: its
  // namespace is not known.
  std::optional<bool> covered;
  Verdict verdict = Verdict::kNoGpus;

  // What it has is known, and is less than what it may take.
  bool below_need() const { return present.bytes && *present.bytes < need; }
};

// By the operator's own decision for a new pod of this kind. A pod that is as the webhook left it
// is decided as it stands, so that it would get what it has.
PodJudgement JudgePod(const PodView& pod, const std::string& namespace_name,
                      const Surroundings& around);

// Somebody else sees to its /dev/shm, so that the webhook leaves it as it is.
bool IsLeftAlone(Reason reason);

}  // namespace shm::cli
