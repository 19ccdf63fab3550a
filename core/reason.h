// Why a pod was treated as it was: enumerated once, for log, metrics, annotation and status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shm {

enum class Reason {
  // What was done.
  kSized,           // /dev/shm has its volume
  kModeDisabled,    // no volume, by the InferenceService's sharedMemory.mode
  kUnknownService,  // the pod's label names no InferenceService
  // Why a pod is skipped.
  kOptedOut,
  kMirrorPod,  // of a static pod: the API server's copy changes nothing
  kWindows,
  kNoGpus,
  kUnreadable,       // the pod cannot be read; the API server will say more
  kAnnotationsFull,  // no room for ours
  kInternal,         // a fault of ours
  // Why its /dev/shm is left as it is.
  kHostIpc,
  kForeignVolume,    // something else than a memory-backed emptyDir is mounted there
  kCrioAnnotation,   // CRI-O is told to size it
  kVolumeNameTaken,  // another volume has the name of ours
  // What a person should know.
  kBelowComputedNeed,
  kCappedAtMaxSize,
  kLargerVolumeKept,
  kSizeLimitSet,  // the volume at /dev/shm had no sizeLimit; in the annotation alone
  kReadOnlyRemoved,
  kSplitSharedMemory,
  kInvalidAnnotation,
  kInvalidService,
  kSeveralServices,
  kParallelismMismatch,
  kNotDivisible,
  kContainerNotFound,
  kEnvFrom,
  kResourceClaims,
  kEngineUnclear,
  kNcclSetting,
  kMemoryLimitTooSmall,
  kPodMemoryLimitTooSmall,
  kMemoryLimitRaised,
  kDisabledTooSmall,  // mode Disabled, but something needs more than the runtime's 64 MiB
};

// The name as users see it, without the k: "BelowComputedNeed".
std::string_view ReasonName(Reason reason);

// A reason with its numbers. `message` is a clause without a period.
struct Note {
  Reason reason = Reason::kSized;
  std::string message;
  // "BelowComputedNeed: ..."
  std::string ToString() const;
  friend bool operator==(const Note&, const Note&) = default;
};

using Notes = std::vector<Note>;

}  // namespace shm
