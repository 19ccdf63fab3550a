// The GPUs of a pod that does not ask for all of them by resources: those that it is given, and
// those that come by resource claims.
//
// Pure; safe from any thread.
#pragma once

#include "core/claim_gpus.h"
#include "core/pod_sizing.h"
#include "core/pod_view.h"
#include "core/service_match.h"

namespace shm {

// Whether a container has a resource claim.
bool UsesClaims(const PodView& pod);

// Completes sizing->gpus, once sizing->numbers is complete. A pod without GPUs of its own has those
// that it is given (sizing->add_gpus), or those that the numbers speak of: they may come by claims.
// Numbers of an engine's own command line count only where an InferenceService stands behind them:
// engines run without GPUs, too. `claims`: of the pod, counted; null: they are not. The note
// kResourceClaims says where the number of a pod with claims is to be given.
void GiveGpus(const PodView& pod, const ServiceMatch& match, const ClaimGpus* claims,
              PodSizing* sizing);

}  // namespace shm
