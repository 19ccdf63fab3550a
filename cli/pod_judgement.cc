#include "cli/pod_judgement.h"

#include <algorithm>
#include <utility>

#include "core/engine.h"
#include "core/memory_plan.h"
#include "core/names.h"
#include "core/pod_sizing.h"
#include "core/quantity.h"

namespace shm::cli {
namespace {

constexpr std::int64_t kRuntimeDefault = 64 * kMebibyte;

// Of a memory-backed emptyDir: min(sizeLimit, pod limit), where 0 is no sizeLimit to the kubelet.
PresentShm OfVolume(const PodView& pod, const VolumeView& volume) {
  const auto pod_limit = OriginalPodMemoryLimit(pod, std::nullopt);  // as it is, raised or not
  std::optional<std::int64_t> size_limit;
  if (volume.size_limit) {
    if (const auto parsed = ParseQuantity(*volume.size_limit); parsed.ok() && *parsed > 0) {
      size_limit = *parsed;
    }
  }
  if (size_limit && (!pod_limit || *size_limit <= *pod_limit)) {
    return {size_limit, ShmSource::kSizeLimit};
  }
  if (pod_limit) return {pod_limit, ShmSource::kMemoryLimit};
  return {std::nullopt, ShmSource::kNodeAllocatable};
}

PresentShm OfContainer(const PodView& pod, const ContainerView& container) {
  const MountView* mount = container.MountAt(names::kMountPath);
  if (!mount) {
    if (pod.host_ipc) return {std::nullopt, ShmSource::kHostIpc};
    if (pod.Annotation(names::kCrioShmSizeAnnotation)) {
      return {std::nullopt, ShmSource::kCrioAnnotation};
    }
    return {kRuntimeDefault, ShmSource::kRuntime};
  }
  const auto volume = pod.FindVolume(mount->volume);
  if (!volume || (*pod.volumes)[*volume].kind != VolumeView::Kind::kMemory) {
    return {std::nullopt, ShmSource::kForeignVolume};
  }
  if (mount->read_only) return {0, ShmSource::kReadOnly};
  return OfVolume(pod, (*pod.volumes)[*volume]);
}

std::string EngineOf(const GpuContainers& gpus) {
  for (std::size_t i = 0; i < gpus.containers.size(); ++i) {
    const ContainerView& container = *gpus.containers[i];
    const EngineFacts facts =
        ReadEngine(container.command, container.args, container.env.value_or(std::vector<EnvVar>{}),
                   gpus.gpus[i], MemoryIn(container.resources.limits), container.image);
    if (facts.engine != Engine::kUnknown) return std::string(EngineName(facts.engine));
  }
  return "";
}

bool IsOptedOut(const PodView& pod) {
  const std::string* inject = pod.Label(names::kInjectLabel);
  return inject && *inject == "false";
}

// As charts/shm-operator registers the webhook: its selectors and conditions.
std::optional<bool> WouldBeSeen(const PodView& pod, const std::string& namespace_name,
                                const Surroundings& around) {
  if (IsOptedOut(pod) || pod.Annotation(names::kMirrorAnnotation)) return false;
  if (namespace_name == kSystemNamespace) return false;
  if (pod.Label(names::kServiceLabel)) return true;
  return around.IsEnabled(namespace_name);
}

// Where services are not known, one that says nothing stands in for the one that the pod's label
// names, as in a webhook that has not listed them yet.
PodContext ContextOf(const PodView& pod, const std::string& namespace_name,
                     const Surroundings& around, InferenceService* stand_in) {
  PodContext context = around.ContextOf(namespace_name);
  const std::string* label = pod.Label(names::kServiceLabel);
  if (around.services_known || !label) return context;
  stand_in->name = *label;
  stand_in->namespace_name = namespace_name;
  context.services = {stand_in};
  return context;
}

PodSizing SizeIn(const PodContext& context, const PodView& pod, const ServiceMatch& match) {
  return SizePod(pod, match, context.installation, context.name_space,
                 context.claim_templates ? &*context.claim_templates : nullptr);
}

// What the pod as it runs may take. Mode Disabled reckons with settings of NCCL that the webhook
// adds: a pod that it never saw lacks them.
std::int64_t NeedOf(const PodView& pod, const PodContext& context, const ServiceMatch& match,
                    const PodSizing& sizing, bool injected) {
  if (injected || !match.service || sizing.rules.mode != SharedMemoryMode::kDisabled) {
    return sizing.size.need;
  }
  InferenceService plain = *match.service;
  plain.shared_memory.mode = SharedMemoryMode::kMemory;
  ServiceMatch as_memory = match;
  as_memory.service = &plain;
  return SizeIn(context, pod, as_memory).size.need;
}

Verdict Judge(const PodJudgement& judged, const PodSizing& sizing) {
  const PodDecision& decision = judged.decision;
  if (judged.gpus == 0 && !decision.size) return Verdict::kNoGpus;
  if (decision.outcome == Outcome::kSkipped) return Verdict::kNotOurs;
  // One that would be refused for its label has GPUs all the same.
  const bool refused = decision.outcome == Outcome::kUnknownService;
  const std::int64_t wanted = refused ? sizing.size.size : decision.size.value_or(0);
  if (judged.present.bytes && *judged.present.bytes < std::max(wanted, judged.need)) {
    return Verdict::kTooSmall;
  }
  return IsLeftAlone(decision.reason) ? Verdict::kNotOurs : Verdict::kEnough;
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTooSmall:
      return "TooSmall";
    case Verdict::kEnough:
      return "Enough";
    case Verdict::kNotOurs:
      return "NotOurs";
    case Verdict::kNoGpus:
      break;
  }
  return "NoGpus";
}

std::string_view ShmSourceName(ShmSource source) {
  switch (source) {
    case ShmSource::kRuntime:
      return "Runtime";
    case ShmSource::kSizeLimit:
      return "SizeLimit";
    case ShmSource::kMemoryLimit:
      return "MemoryLimit";
    case ShmSource::kNodeAllocatable:
      return "NodeAllocatable";
    case ShmSource::kHostIpc:
      return "HostIpc";
    case ShmSource::kForeignVolume:
      return "ForeignVolume";
    case ShmSource::kReadOnly:
      return "ReadOnly";
    case ShmSource::kCrioAnnotation:
      break;
  }
  return "CrioAnnotation";
}

PresentShm FindPresentShm(const PodView& pod, const GpuContainers& gpus) {
  std::optional<PresentShm> least;
  for (const ContainerView* container : gpus.containers) {
    const PresentShm present = OfContainer(pod, *container);
    const bool less =
        !least || (present.bytes && (!least->bytes || *present.bytes < *least->bytes));
    if (less) least = present;
  }
  if (least) return *least;
  if (pod.host_ipc) return {std::nullopt, ShmSource::kHostIpc};
  return {kRuntimeDefault, ShmSource::kRuntime};
}

bool IsLeftAlone(Reason reason) {
  return reason == Reason::kHostIpc || reason == Reason::kForeignVolume ||
         reason == Reason::kCrioAnnotation || reason == Reason::kVolumeNameTaken;
}

PodJudgement JudgePod(const PodView& pod, const std::string& namespace_name,
                      const Surroundings& around) {
  InferenceService stand_in;
  const PodContext context = ContextOf(pod, namespace_name, around, &stand_in);
  const ServiceMatch match = MatchService(pod, context.services);
  const PodSizing sizing = SizeIn(context, pod, match);

  PodJudgement judged;
  judged.decision = DecidePod(pod, context);
  judged.service = match.service ? match.service->name : "";
  judged.gpus = sizing.total_gpus;
  judged.degrees = {sizing.numbers.tensor_parallel.value, sizing.numbers.pipeline_parallel.value,
                    sizing.numbers.data_parallel.value};
  if (judged.gpus > 0) judged.engine = EngineOf(sizing.gpus);
  judged.present = FindPresentShm(pod, sizing.gpus);
  const std::string* injected = pod.Label(names::kInjectedLabel);
  judged.injected = injected && *injected == "true";
  judged.need = NeedOf(pod, context, match, sizing, judged.injected);
  judged.covered = WouldBeSeen(pod, namespace_name, around);
  judged.verdict = Judge(judged, sizing);
  return judged;
}

}  // namespace shm::cli
