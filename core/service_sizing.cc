#include "core/service_sizing.h"

#include "core/pod_sizing.h"
#include "core/quantity.h"

namespace shm {
namespace {

// What an engine's own command line says stays there: it is no business of the stamp.
Degrees DegreesToStamp(const PodNumbers& numbers) {
  const auto ours = [](const Sourced<int>& number) {
    return number.ours() ? number.value : std::nullopt;
  };
  return {ours(numbers.tensor_parallel), ours(numbers.pipeline_parallel),
          ours(numbers.data_parallel)};
}

PodView BarePod() {
  PodView pod;
  pod.containers.emplace_back();
  pod.containers.back().name = "engine";
  return pod;
}

}  // namespace

Result<ServiceSizing> SizeForService(const InferenceService& service,
                                     const InstallationDefaults& installation,
                                     const NamespaceDefaults& name_space,
                                     const PodView* pod_template) {
  if (const auto gpus = GpusPerPod(service); !gpus.ok()) return gpus.error();
  const PodView bare = BarePod();
  const PodSizing pod =
      SizePod(pod_template ? *pod_template : bare, {ServiceMatch::Tie::kLabel, &service, {}},
              installation, name_space);
  const auto& explicit_size = service.shared_memory.size;
  if (explicit_size && pod.rules.max_size && *explicit_size > *pod.rules.max_size) {
    return Error{"spec.sharedMemory.size", FormatBytes(*explicit_size) + " is above " +
                                               FormatBytes(*pod.rules.max_size) +
                                               ", the maxSize that holds here"};
  }

  ServiceSizing sizing;
  if (pod.total_gpus > 0) sizing.gpus_per_pod = pod.total_gpus;
  sizing.degrees = DegreesToStamp(pod.numbers);
  sizing.notes = pod.notes;
  if (pod.rules.mode == SharedMemoryMode::kDisabled || pod.size.size == 0) return sizing;
  sizing.size = pod.size.size;
  sizing.arithmetic = pod.size.arithmetic;
  sizing.notes.insert(sizing.notes.end(), pod.size.notes.begin(), pod.size.notes.end());
  return sizing;
}

}  // namespace shm
