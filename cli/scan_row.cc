#include "cli/scan_row.h"

#include <algorithm>
#include <utility>

#include "core/engine.h"
#include "core/memory_plan.h"
#include "core/mutation.h"
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
std::optional<bool> WouldBeSeen(const ScannedPod& pod, const Surroundings& around) {
  if (IsOptedOut(pod.view) || pod.view.Annotation(names::kMirrorAnnotation)) return false;
  if (pod.namespace_name == kSystemNamespace) return false;
  if (pod.view.Label(names::kServiceLabel)) return true;
  const auto found = around.namespaces.find(pod.namespace_name);
  if (found == around.namespaces.end()) return std::nullopt;
  return found->second.enabled;
}

// The services of the pod's namespace. Where they are not known, one that says nothing stands in
// for the one that its label names, as in a webhook that has not listed them yet.
std::vector<const InferenceService*> ServicesOf(const ScannedPod& pod, const Surroundings& around,
                                                InferenceService* stand_in) {
  std::vector<const InferenceService*> services;
  const std::string* label = pod.view.Label(names::kServiceLabel);
  if (!around.services_known && label) {
    stand_in->name = *label;
    stand_in->namespace_name = pod.namespace_name;
    return {stand_in};
  }
  if (const auto found = around.services.find(pod.namespace_name); found != around.services.end()) {
    for (const InferenceService& service : found->second) services.push_back(&service);
  }
  return services;
}

// What the pod as it runs may take. Mode Disabled reckons with settings of NCCL that the webhook
// adds: a pod that it never saw lacks them.
std::int64_t NeedOf(const ScannedPod& pod, const PodContext& context, const ServiceMatch& match,
                    const PodSizing& sizing, bool injected) {
  if (injected || !match.service || sizing.rules.mode != SharedMemoryMode::kDisabled) {
    return sizing.size.need;
  }
  InferenceService plain = *match.service;
  plain.shared_memory.mode = SharedMemoryMode::kMemory;
  ServiceMatch as_memory = match;
  as_memory.service = &plain;
  return SizePod(pod.view, as_memory, context.installation, context.name_space).size.need;
}

bool IsLeftAlone(Reason reason) {
  return reason == Reason::kHostIpc || reason == Reason::kForeignVolume ||
         reason == Reason::kCrioAnnotation || reason == Reason::kVolumeNameTaken;
}

Verdict Judge(const ScanRow& row, const PodDecision& decision, const PodSizing& sizing) {
  if (row.gpus == 0 && !row.would_get) return Verdict::kNoGpus;
  if (decision.outcome == Outcome::kSkipped) return Verdict::kNotOurs;
  // One that would be refused for its label has GPUs all the same.
  const bool refused = decision.outcome == Outcome::kUnknownService;
  const std::int64_t wanted = refused ? sizing.size.size : row.would_get.value_or(0);
  if (row.present.bytes && *row.present.bytes < std::max(wanted, row.need)) {
    return Verdict::kTooSmall;
  }
  return IsLeftAlone(decision.reason) ? Verdict::kNotOurs : Verdict::kEnough;
}

void AddReason(Reason reason, ScanRow* row) {
  const std::string name(ReasonName(reason));
  if (std::find(row->reasons.begin(), row->reasons.end(), name) == row->reasons.end()) {
    row->reasons.push_back(name);
  }
}

void Explain(const PodDecision& decision, ScanRow* row) {
  AddReason(decision.reason, row);
  for (const Note& note : decision.notes) AddReason(note.reason, row);
  // That a pod without GPUs is skipped for another reason too is of no interest.
  const bool idle = row->verdict == Verdict::kNoGpus && decision.outcome == Outcome::kSkipped;
  if (!decision.message.empty() && !idle) {
    row->warnings.push_back(Note{decision.reason, decision.message}.ToString());
  }
  for (const Note& note : decision.notes) row->warnings.push_back(note.ToString());
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

ScanRow DescribePod(const ScannedPod& pod, const Surroundings& around) {
  PodContext context;
  InferenceService stand_in;
  context.namespace_name = pod.namespace_name;
  context.services = ServicesOf(pod, around, &stand_in);
  context.installation = around.installation;
  const auto name_space = around.namespaces.find(pod.namespace_name);
  if (name_space != around.namespaces.end()) context.name_space = name_space->second.defaults;
  const PodDecision decision = DecidePod(pod.view, context);
  const ServiceMatch match = MatchService(pod.view, context.services);
  const PodSizing sizing = SizePod(pod.view, match, context.installation, context.name_space);

  ScanRow row;
  row.namespace_name = pod.namespace_name;
  row.pod = pod.view.name;
  row.node = pod.node;
  row.phase = pod.phase;
  row.service = match.service ? match.service->name : "";
  row.gpus = sizing.total_gpus;
  row.degrees = {sizing.numbers.tensor_parallel.value, sizing.numbers.pipeline_parallel.value,
                 sizing.numbers.data_parallel.value};
  if (row.gpus > 0) row.engine = EngineOf(sizing.gpus);
  row.present = FindPresentShm(pod.view, sizing.gpus);
  row.would_get = decision.size;
  const std::string* injected = pod.view.Label(names::kInjectedLabel);
  row.injected = injected && *injected == "true";
  row.need = NeedOf(pod, context, match, sizing, row.injected);
  row.outcome = OutcomeName(decision.outcome);
  row.covered = WouldBeSeen(pod, around);
  row.verdict = Judge(row, decision, sizing);
  row.arithmetic = decision.arithmetic;
  Explain(decision, &row);
  return row;
}

}  // namespace shm::cli
