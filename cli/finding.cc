#include "cli/finding.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/reason.h"

namespace shm::cli {
namespace {

constexpr std::array kSeverities = {Severity::kError, Severity::kWarning, Severity::kNote};

constexpr Severity kError = Severity::kError;
constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kNote = Severity::kNote;

// A rule that has its name from the reason that core gives.
Rule Of(Reason reason, Severity severity, bool of_webhook, std::string_view summary,
        std::string_view help) {
  return {ReasonName(reason), severity, of_webhook, summary, help};
}

std::vector<Rule> OwnRules() {
  return {
      {rules::kTooSmall, kError, false,
       "A pod declares too little /dev/shm, and no webhook makes up for it",
       "Mount a memory-backed emptyDir of that sizeLimit at /dev/shm, or commit what `shmctl "
       "render` writes"},
      {rules::kNotCovered, kError, false,
       "A pod declares too little /dev/shm, and the webhook does not see it",
       "Label the namespace shm-operator.dev/injection=enabled, or the pods shm-operator.dev/"
       "service with the name of an InferenceService, or declare the volume"},
      {rules::kRefused, kError, true,
       "The webhook would refuse the pod, by memoryLimitPolicy Reject",
       "Raise the container's memory limit, or set sharedMemory.memoryLimitPolicy or "
       "sharedMemory.size"},
      {rules::kUnknownService, kError, true,
       "A pod's label names an InferenceService that is not there: the pod would be refused",
       "Correct the label, or name the manifest of the InferenceService by --services"},
      {rules::kInvalidService, kError, false,
       "An InferenceService that the API server would refuse",
       "Correct the field: `kubectl explain shmisvc.spec` says what it takes"},
      {rules::kInvalidPod, kError, false, "A pod that the API server would refuse",
       "Correct the field"},
      {rules::kNotJudged, kNote, false, "A kind whose controller builds its pods from other fields",
       "`shmctl scan` judges its pods once they run"},
  };
}

// Why a pod does not get enough even where the webhook sees to it.
std::vector<Rule> SizeRules() {
  constexpr const char* kMount = "Make that volume a memory-backed emptyDir, or see to its size";
  return {
      Of(Reason::kBelowComputedNeed, kError, true,
         "The size that is set, or maxSize, is below what NCCL and the engine may take",
         "Raise sharedMemory.size, the annotation shm-size or maxSize"),
      Of(Reason::kDisabledTooSmall, kError, true,
         "Mode Disabled leaves less than NCCL and the engine may take",
         "Set sharedMemory.mode: Memory"),
      Of(Reason::kPodMemoryLimitTooSmall, kError, true,
         "The pod's memory limit makes its /dev/shm smaller than it is to be",
         "Raise the memory limit, or set memoryLimitPolicy: Raise"),
      Of(Reason::kOptedOut, kWarning, false,
         "A pod that opted out has less than NCCL and the engine may take",
         "Remove the label shm-operator.dev/inject, or declare the volume"),
      Of(Reason::kAnnotationsFull, kWarning, true, "The pod's annotations leave no room for ours",
         "Shorten them"),
      Of(Reason::kInternal, kError, false, "A fault of shm-operator's own", "Report it"),
      Of(Reason::kVolumeNameTaken, kError, false, "The name of the volume that is needed is taken",
         "Rename the pod's volume shm-operator-dshm"),
      Of(Reason::kForeignVolume, kNote, false,
         "Another kind of volume is mounted at /dev/shm, and is left alone", kMount),
      Of(Reason::kHostIpc, kNote, false, "The pod has the /dev/shm of its node, by hostIPC",
         "Remove hostIPC"),
      Of(Reason::kCrioAnnotation, kNote, false, "CRI-O sizes /dev/shm, by an annotation",
         "Remove the annotation io.kubernetes.cri-o.ShmSize"),
  };
}

// What else is said of a pod.
std::vector<Rule> OtherRules() {
  return {
      Of(Reason::kMemoryLimitTooSmall, kWarning, true,
         "The container's memory limit does not hold its /dev/shm, whose pages are charged to it",
         "Raise the memory limit, or set memoryLimitPolicy: Raise"),
      Of(Reason::kParallelismMismatch, kWarning, false,
         "Degrees of parallelism and GPUs do not agree", "Make GPUs × nodes = TP × PP × DP"),
      Of(Reason::kNotDivisible, kWarning, false, "GPUs do not divide by the pods that span them",
         "Choose a degree that divides"),
      Of(Reason::kContainerNotFound, kWarning, false, "containerName names no container of the pod",
         "Correct spec.containerName"),
      Of(Reason::kInvalidAnnotation, kWarning, false, "An annotation of ours cannot be used",
         "Correct its value"),
      Of(Reason::kSeveralServices, kWarning, false, "Several InferenceServices select the pod",
         "Narrow their selectors, or label the pod shm-operator.dev/service"),
      Of(Reason::kSplitSharedMemory, kWarning, false,
         "GPU containers of one pod see different volumes at /dev/shm", "Mount one into all"),
      Of(Reason::kNoGpus, kWarning, false,
         "Neither the pod nor its InferenceService says how many GPUs there are",
         "Set tensorParallelSize, gpuCount or sharedMemory.size"),
      Of(Reason::kResourceClaims, kNote, false, "GPUs by resource claims are not counted",
         "Set gpuCount, or use --count-resource-claims"),
      Of(Reason::kEngineUnclear, kNote, false, "The engine's command line does not tell all",
         "Set the degrees in an InferenceService or in annotations"),
      Of(Reason::kNcclSetting, kNote, false, "A setting of NCCL cannot be told", ""),
      Of(Reason::kEnvFrom, kNote, false, "An envFrom may set what would be set", ""),
      Of(Reason::kModeDisabled, kNote, true, "No volume, by mode Disabled", ""),
      Of(Reason::kCappedAtMaxSize, kNote, true, "maxSize holds the size down", ""),
      Of(Reason::kLargerVolumeKept, kNote, true, "The volume is larger than it need be", ""),
      Of(Reason::kReadOnlyRemoved, kNote, true,
         "/dev/shm is mounted read-only; the webhook "
         "removes that",
         ""),
      Of(Reason::kMemoryLimitRaised, kNote, true, "The webhook raises the memory limit", ""),
  };
}

std::vector<Rule> AllRules() {
  std::vector<Rule> all = OwnRules();
  for (const std::vector<Rule>& more : {SizeRules(), OtherRules()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      break;
  }
  return "note";
}

std::optional<Severity> ParseSeverity(std::string_view name) {
  for (const Severity severity : kSeverities) {
    if (SeverityName(severity) == name) return severity;
  }
  return std::nullopt;
}

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> all = AllRules();
  return all;
}

std::size_t RuleIndex(std::string_view id) {
  const auto found = std::find_if(Rules().begin(), Rules().end(),
                                  [id](const Rule& rule) { return rule.id == id; });
  return static_cast<std::size_t>(found - Rules().begin());
}

Finding MakeFinding(std::string_view rule, std::string message) {
  const Rule& known = Rules().at(RuleIndex(rule));
  Finding finding;
  finding.rule = known.id;
  finding.severity = known.severity;
  finding.message = std::move(message);
  finding.help = known.help;
  return finding;
}

CheckSummary CheckReport::Summary() const {
  CheckSummary summary{documents, pods, 0, 0, 0};
  for (const Finding& finding : findings) {
    (finding.severity == Severity::kError     ? summary.errors
     : finding.severity == Severity::kWarning ? summary.warnings
                                              : summary.notes) += 1;
  }
  return summary;
}

}  // namespace shm::cli
