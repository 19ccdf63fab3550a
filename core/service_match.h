// The InferenceService that a pod belongs to.
#pragma once

#include <vector>

#include "core/inference_service.h"
#include "core/pod_view.h"
#include "core/reason.h"

namespace shm {

struct ServiceMatch {
  enum class Tie {
    kNone,
    kLabel,     // the pod's label names it
    kSelector,  // its selector matches the pod
    kUnknown,   // the pod's label names none of those given
  };
  Tie tie = Tie::kNone;
  const InferenceService* service = nullptr;  // null for kNone and kUnknown
  Notes notes;                                // kSeveralServices
};

// Of several InferenceServices that select a pod, the oldest has it; of one second's, the first by
// name. Pure.
bool IsOlder(const InferenceService& one, const InferenceService& other);

// `services`: those of the pod's namespace, in any order; must outlive the result. Where several
// selectors match, the oldest wins (IsOlder). One that is being deleted selects
// nothing. Pure.
ServiceMatch MatchService(const PodView& pod, const std::vector<const InferenceService*>& services);

}  // namespace shm
