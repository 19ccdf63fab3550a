// Everything about a pod's numbers and size, before anything is done to it.
//
// Pure; safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/claim_gpus.h"
#include "core/defaults.h"
#include "core/engine.h"
#include "core/gpu_containers.h"
#include "core/injection_record.h"
#include "core/numbers.h"
#include "core/pod_view.h"
#include "core/reason.h"
#include "core/service_match.h"
#include "core/sizing.h"

namespace shm {

// Pointers lead into the PodView and the InferenceServices it was made from.
struct PodSizing {
  SizingRules rules;
  std::string gpu_resource;  // the name under which GPUs are added
  GpuContainers gpus;        // with the GPUs that they will have
  PodNumbers numbers;
  bool degrees_unclear = false;               // a command line gives one that cannot be told
  RayUse ray = RayUse::kNone;                 // of the GPU containers, the most
  std::optional<std::string> lws_group_size;  // as LeaderWorkerSet's annotation has it, or will
  int total_gpus = 0;                         // GPUs in the pod, 0 to 1024
  bool add_gpus = false;                      // gpus.containers[0] is to request total_gpus
  SizeDecision size;                          // of mode Memory; the need alone in mode Disabled
  std::optional<InjectionRecord> before;      // what an earlier pass recorded
  Notes notes;                                // size.notes excluded
};

// `claim_templates`: those of the pod's namespace; null: claims are not counted. Counted claims are
// GPUs of the containers that have them, as the resources of a user are. Of others the numbers of
// annotations and InferenceService tell; without such, the note kResourceClaims says so.
PodSizing SizePod(const PodView& pod, const ServiceMatch& match,
                  const InstallationDefaults& installation, const NamespaceDefaults& name_space,
                  const ClaimTemplates* claim_templates = nullptr);

// The env entries that GPU containers get: degrees that come from an annotation or from an
// InferenceService, and the settings of mode Disabled. In the order they are put.
std::vector<EnvVar> EnvToAdd(const PodNumbers& numbers, SharedMemoryMode mode);

}  // namespace shm
