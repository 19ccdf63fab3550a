// What a new pod of an InferenceService would get, without a pod at hand: for status and stamp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/defaults.h"
#include "core/inference_service.h"
#include "core/pod_view.h"
#include "core/reason.h"
#include "core/result.h"

namespace shm {

struct ServiceSizing {
  std::optional<std::int64_t> size;  // bytes; unset: mode Disabled, or nothing says how many GPUs
  std::string arithmetic;            // in words; empty without a size
  std::optional<int> gpus_per_pod;   // unset where nothing says
  Degrees degrees;                   // to stamp: the spec's and the template's annotations
  Notes notes;                       // what a pod's warnings would be
};

// Decides as the webhook will, but for resource claims, which are never counted here: their GPUs
// are those that the degrees and gpuCount speak of. `pod_template`: spec.template as a view, or
// null (selector mode; a pod of which nothing is known is taken). An Error where the degrees, GPUs
// and nodes do not add up, or an explicit size is above maxSize. Pure; safe from any thread.
Result<ServiceSizing> SizeForService(const InferenceService& service,
                                     const InstallationDefaults& installation,
                                     const NamespaceDefaults& name_space,
                                     const PodView* pod_template = nullptr);

}  // namespace shm
