#include "core/reason.h"

namespace shm {

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kSized:
      return "Sized";
    case Reason::kModeDisabled:
      return "ModeDisabled";
    case Reason::kUnknownService:
      return "UnknownService";
    case Reason::kOptedOut:
      return "OptedOut";
    case Reason::kMirrorPod:
      return "MirrorPod";
    case Reason::kWindows:
      return "Windows";
    case Reason::kNoGpus:
      return "NoGpus";
    case Reason::kUnreadable:
      return "Unreadable";
    case Reason::kAnnotationsFull:
      return "AnnotationsFull";
    case Reason::kInternal:
      return "Internal";
    case Reason::kHostIpc:
      return "HostIpc";
    case Reason::kForeignVolume:
      return "ForeignVolume";
    case Reason::kCrioAnnotation:
      return "CrioAnnotation";
    case Reason::kVolumeNameTaken:
      return "VolumeNameTaken";
    case Reason::kBelowComputedNeed:
      return "BelowComputedNeed";
    case Reason::kCappedAtMaxSize:
      return "CappedAtMaxSize";
    case Reason::kLargerVolumeKept:
      return "LargerVolumeKept";
    case Reason::kSizeLimitSet:
      return "SizeLimitSet";
    case Reason::kReadOnlyRemoved:
      return "ReadOnlyRemoved";
    case Reason::kSplitSharedMemory:
      return "SplitSharedMemory";
    case Reason::kInvalidAnnotation:
      return "InvalidAnnotation";
    case Reason::kInvalidService:
      return "InvalidService";
    case Reason::kSeveralServices:
      return "SeveralServices";
    case Reason::kParallelismMismatch:
      return "ParallelismMismatch";
    case Reason::kNotDivisible:
      return "NotDivisible";
    case Reason::kContainerNotFound:
      return "ContainerNotFound";
    case Reason::kEnvFrom:
      return "EnvFrom";
    case Reason::kResourceClaims:
      return "ResourceClaims";
    case Reason::kEngineUnclear:
      return "EngineUnclear";
    case Reason::kNcclSetting:
      return "NcclSetting";
    case Reason::kMemoryLimitTooSmall:
      return "MemoryLimitTooSmall";
    case Reason::kPodMemoryLimitTooSmall:
      return "PodMemoryLimitTooSmall";
    case Reason::kMemoryLimitRaised:
      return "MemoryLimitRaised";
    case Reason::kDisabledTooSmall:
      return "DisabledTooSmall";
  }
  return "Unknown";
}

std::string Note::ToString() const { return std::string(ReasonName(reason)) + ": " + message; }

}  // namespace shm
