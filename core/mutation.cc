#include "core/mutation.h"

#include <algorithm>
#include <utility>

#include "core/injection_record.h"
#include "core/memory_plan.h"
#include "core/names.h"
#include "core/pod_patch.h"
#include "core/pod_sizing.h"
#include "core/quantity.h"
#include "core/volume_plan.h"

namespace shm {
namespace {

using Tie = ServiceMatch::Tie;

constexpr std::int64_t kRuntimeDefault = 64 * kMebibyte;  // what a pod has without us

PodDecision Skipped(Reason reason, std::string message) {
  PodDecision decision;
  decision.outcome = Outcome::kSkipped;
  decision.reason = reason;
  decision.message = std::move(message);
  return decision;
}

// Decides one pod, part by part; each adds to the decision and to the patch.
class Decider {
 public:
  Decider(const PodView& pod, const ServiceMatch& match, PodSizing sizing)
      : pod_(pod), match_(match), sizing_(std::move(sizing)), patch_(pod) {}

  PodDecision Decide() {
    if (match_.service) decision_.service = match_.service->name;
    decision_.notes = sizing_.notes;
    decision_.gpus = sizing_.total_gpus;
    if (sizing_.before) raised_ = sizing_.before->raised;
    DecideSharedMemory();
    if (decision_.outcome == Outcome::kDenied) return std::move(decision_);
    if (decision_.reason == Reason::kNoGpus && match_.tie == Tie::kNone) return Skip();
    SetGpus();
    SetEnv();
    if (!SetMarks()) return AnnotationsFull();
    decision_.patch = patch_.Take();
    decision_.outcome = decision_.patch.empty() ? Outcome::kUnchanged : Outcome::kInjected;
    return std::move(decision_);
  }

 private:
  void Note(Reason reason, std::string message) {
    decision_.notes.push_back({reason, std::move(message)});
  }
  void Take(const Notes& notes) {
    decision_.notes.insert(decision_.notes.end(), notes.begin(), notes.end());
  }

  PodDecision Skip() {
    decision_.outcome = Outcome::kSkipped;
    decision_.message = "no container asks for a GPU";
    return std::move(decision_);
  }

  void DecideSharedMemory() {
    if (sizing_.rules.mode == SharedMemoryMode::kDisabled) {
      DecideDisabled();
    } else if (sizing_.size.size == 0) {
      decision_.reason = Reason::kNoGpus;
      if (match_.service) {
        Note(Reason::kNoGpus,
             "neither the pod nor InferenceService " + match_.service->name +
                 " says how many GPUs: set tensorParallelSize, gpuCount or sharedMemory.size");
      }
    } else {
      DecideVolume();
    }
  }

  void DecideDisabled() {
    decision_.reason = Reason::kModeDisabled;
    Note(Reason::kModeDisabled,
         "no volume at /dev/shm: NCCL is set to keep its host buffers elsewhere, measured at 26.6 "
         "GB/s without P2P on two GPUs (26.7 through /dev/shm, 293 with NVLink P2P)");
    if (sizing_.size.need > kRuntimeDefault) {
      Note(Reason::kDisabledTooSmall,
           "the pod needs " + FormatMebibytes(sizing_.size.need) +
               " in /dev/shm, which is above the 64Mi that a pod has without a volume");
    }
  }

  void DecideVolume() {
    const std::int64_t size = sizing_.size.size;
    const VolumePlan volume = PlanVolume(pod_, sizing_.gpus, sizing_.rules.mount_scope, size);
    if (volume.left_alone) {
      decision_.reason = *volume.left_alone;
      Take(volume.notes);
      return;
    }
    decision_.reason = Reason::kSized;
    decision_.size = size;
    decision_.arithmetic = sizing_.size.arithmetic;
    Take(sizing_.size.notes);
    Take(volume.notes);
    limit_set_ = volume.was_unlimited;
    DecideMemory(size);
    if (decision_.outcome != Outcome::kDenied) SetVolume(volume, size);
  }

  void DecideMemory(std::int64_t size) {
    const auto before = sizing_.before ? sizing_.before->raised : std::nullopt;
    const MemoryPlan memory = PlanMemory(pod_, sizing_.gpus, size, sizing_.rules, before);
    raised_ = memory.raised;
    if (memory.reject) {
      decision_.outcome = Outcome::kDenied;
      decision_.reason = memory.notes.front().reason;
      decision_.message = memory.notes.front().message;
      return;
    }
    Take(memory.notes);
    const auto set = [&](const char* list, const std::optional<std::int64_t>& bytes) {
      if (bytes) patch_.SetResource(*memory.container, list, "memory", FormatBytes(*bytes));
    };
    set("limits", memory.limit);
    set("requests", memory.request);
    if (memory.pod_limit) patch_.SetPodResource("limits", "memory", FormatBytes(*memory.pod_limit));
    if (memory.pod_request) {
      patch_.SetPodResource("requests", "memory", FormatBytes(*memory.pod_request));
    }
  }

  void SetVolume(const VolumePlan& plan, std::int64_t size) {
    if (plan.add_volume) patch_.AddMemoryVolume(plan.volume, size);
    for (const std::size_t volume : plan.set_size) patch_.SetSizeLimit(volume, size);
    for (const ContainerView* container : plan.mount_into) {
      patch_.AddMount(*container, plan.volume, names::kMountPath);
    }
    for (const auto& [container, mount] : plan.make_writable) {
      patch_.RemoveReadOnly(*container, mount);
    }
  }

  // Requests and limits of an extended resource must both be there, and be equal (trap S9).
  void SetGpus() {
    if (sizing_.add_gpus) {
      const ContainerView& container = *sizing_.gpus.containers.front();
      const std::string count = std::to_string(sizing_.gpus.gpus.front());
      patch_.SetResource(container, "requests", sizing_.gpu_resource, count);
      patch_.SetResource(container, "limits", sizing_.gpu_resource, count);
    }
    for (const ContainerView& container : pod_.containers) Complete(container);
    for (const ContainerView& container : pod_.init_containers) Complete(container);
  }

  void Complete(const ContainerView& container) {
    CompleteFrom(container, container.resources.limits, container.resources.requests, "requests");
    CompleteFrom(container, container.resources.requests, container.resources.limits, "limits");
  }

  void CompleteFrom(const ContainerView& container, const std::optional<ResourceList>& from,
                    const std::optional<ResourceList>& to, const char* list) {
    if (!from) return;
    for (const auto& [resource, quantity] : *from) {
      const bool missing = !to || to->find(resource) == to->end();
      if (missing && IsGpuResource(resource, sizing_.gpu_resource)) {
        patch_.SetResource(container, list, resource, quantity);
      }
    }
  }

  void SetEnv() {
    const std::vector<EnvVar> wanted = EnvToAdd(sizing_.numbers, sizing_.rules.mode);
    for (const ContainerView* container : sizing_.gpus.containers) {
      std::vector<EnvVar> missing;
      for (const EnvVar& entry : wanted) {
        if (!Sets(*container, entry.name)) missing.push_back(entry);
      }
      if (missing.empty()) continue;
      if (container->has_env_from) {
        NoteEnvFrom(*container, missing);
      } else {
        patch_.PrependEnv(*container, missing);
      }
    }
  }

  static bool Sets(const ContainerView& container, const std::string& name) {
    if (!container.env) return false;
    return std::any_of(container.env->begin(), container.env->end(),
                       [&name](const EnvVar& entry) { return entry.name == name; });
  }

  void NoteEnvFrom(const ContainerView& container, const std::vector<EnvVar>& missing) {
    std::string list;
    for (const EnvVar& entry : missing) list += (list.empty() ? "" : ", ") + entry.name;
    Note(Reason::kEnvFrom, "container " + container.name + " has an envFrom, which may set " +
                               list + ": it is not set here");
  }

  // Label and annotation say that we were here, and why the pod is as it is. Whether they fit:
  // without the annotation a second pass would raise memory again.
  bool SetMarks() {
    const std::string* label = pod_.Label(names::kInjectedLabel);
    if (!label || *label != "true") patch_.SetLabel(names::kInjectedLabel, "true");

    InjectionRecord record{decision_.size, decision_.gpus, decision_.arithmetic, {}, raised_};
    AddReason(decision_.reason, &record);
    // No warning: half of the published examples have no sizeLimit, and nothing is amiss.
    if (limit_set_) AddReason(Reason::kSizeLimitSet, &record);
    for (const shm::Note& note : decision_.notes) AddReason(note.reason, &record);
    if (sizing_.before && sizing_.before->SameNumbers(record)) return true;
    const std::string text = WriteInjection(record);
    patch_.SetAnnotation(names::kInjectionAnnotation, text);
    return AnnotationFits(pod_, names::kInjectionAnnotation, text);
  }

  // A patch that the API server then refuses would refuse the pod (trap A1).
  static PodDecision AnnotationsFull() {
    PodDecision decision = Skipped(
        Reason::kAnnotationsFull,
        "the pod's annotations fill the 256 KiB that the API server takes: there is no room to "
        "record what is done, so nothing is");
    decision.notes.push_back({decision.reason, decision.message});
    return decision;
  }

  static void AddReason(Reason reason, InjectionRecord* record) {
    const std::string name(ReasonName(reason));
    auto& reasons = record->reasons;
    if (std::find(reasons.begin(), reasons.end(), name) == reasons.end()) reasons.push_back(name);
  }

  const PodView& pod_;
  const ServiceMatch& match_;
  const PodSizing sizing_;
  PodPatch patch_;
  PodDecision decision_;
  std::optional<RaisedMemory> raised_;
  bool limit_set_ = false;  // /dev/shm had no limit of its own
};

std::optional<PodDecision> FindSkip(const PodView& pod) {
  const std::string* inject = pod.Label(names::kInjectLabel);
  if (inject && *inject == "false") {
    return Skipped(Reason::kOptedOut, std::string("label ") + names::kInjectLabel + " is false");
  }
  if (pod.Annotation(names::kMirrorAnnotation)) {
    return Skipped(Reason::kMirrorPod, "a static pod cannot be changed through the API server");
  }
  if (pod.os == "windows") return Skipped(Reason::kWindows, "Windows has no /dev/shm");
  return std::nullopt;
}

PodDecision UnknownService(const PodView& pod, const PodContext& context) {
  PodDecision decision;
  decision.outcome = Outcome::kUnknownService;
  decision.reason = Reason::kUnknownService;
  decision.service = *pod.Label(names::kServiceLabel);
  decision.message = std::string("label ") + names::kServiceLabel + " names InferenceService " +
                     decision.service + ", which is not in namespace " + context.namespace_name;
  return decision;
}

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kInjected:
      return "Injected";
    case Outcome::kUnchanged:
      return "Unchanged";
    case Outcome::kSkipped:
      return "Skipped";
    case Outcome::kUnknownService:
      return "UnknownService";
    case Outcome::kDenied:
      return "Denied";
  }
  return "Unknown";
}

std::vector<std::string> PodDecision::Warnings() const {
  std::vector<std::string> warnings;
  if (audited && outcome == Outcome::kInjected) {
    warnings.push_back("audit: nothing is changed; " +
                       (size ? "/dev/shm would be " + FormatBytes(*size) + ", " + arithmetic
                             : "reason " + std::string(ReasonName(reason))));
  } else if (audited && !message.empty()) {
    warnings.push_back("audit: the pod would be denied: " + message);
  }
  for (const Note& note : notes) warnings.push_back(note.ToString());
  return warnings;
}

PodDecision DecidePod(const PodView& pod, const PodContext& context) {
  if (auto skip = FindSkip(pod)) return *skip;
  const ServiceMatch match = MatchService(pod, context.services);
  PodDecision decision =
      match.tie == Tie::kUnknown
          ? UnknownService(pod, context)
          : Decider(pod, match,
                    SizePod(pod, match, context.installation, context.name_space,
                            context.claim_templates ? &*context.claim_templates : nullptr))
                .Decide();
  if (const auto applies = CheckPatch(pod, decision.patch); !applies.ok()) {
    return Skipped(Reason::kInternal, "the patch does not apply: " + applies.error().ToString());
  }
  if (context.installation.audit && decision.outcome != Outcome::kSkipped) {
    decision.audited = true;
    decision.patch.clear();
  }
  return decision;
}

}  // namespace shm
