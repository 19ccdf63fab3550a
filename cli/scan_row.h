// One pod as `shmctl scan` judges it: what it has at /dev/shm now, and what it would get.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/scan_facts.h"
#include "core/gpu_containers.h"
#include "core/inference_service.h"

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

// What the GPU containers of a running pod have; of several that differ, the one with least. A
// node that can allocate less than a sizeLimit makes it smaller still, which is not seen here.
PresentShm FindPresentShm(const PodView& pod, const GpuContainers& gpus);

struct ScanRow {
  std::string namespace_name;
  std::string pod;
  std::string node;     // empty: none yet
  std::string phase;    // empty: none yet
  std::string service;  // the InferenceService that it belongs to; or empty
  std::string engine;   // as a person calls it; empty: not known
  int gpus = 0;         // in the pod
  Degrees degrees;      // each from the first source that has it

  PresentShm present;
  std::optional<std::int64_t> would_get;  // bytes; unset: no volume by us
  std::int64_t need = 0;                  // bytes that NCCL and the engine may take
  bool injected = false;                  // the webhook was here
  std::string outcome;                    // of the operator's decision: "Injected", "Skipped", ...
  // Whether the webhook would see the pod when it is made again, as the chart registers it; unset:
  // its namespace is not known.
  std::optional<bool> covered;
  Verdict verdict = Verdict::kNoGpus;

  std::string arithmetic;             // of would_get, in words; or empty
  std::vector<std::string> reasons;   // names of core's Reason, each once
  std::vector<std::string> warnings;  // "BelowComputedNeed: ...", a clause without a period

  // What it has is known, and is less than what it may take.
  bool below_need() const { return present.bytes && *present.bytes < need; }
  // No GPUs, and nothing to be said of it either.
  bool idle() const { return verdict == Verdict::kNoGpus && warnings.empty(); }
};

// Judges by the operator's own decision for a new pod of this kind. A pod that is as the webhook
// left it is decided as it stands, so that it would get what it has.
ScanRow DescribePod(const ScannedPod& pod, const Surroundings& around);

}  // namespace shm::cli
