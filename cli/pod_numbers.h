// Numbers of a pod that the API server would refuse, and that the mutation passes over: offline
// there is nobody else to tell.
#pragma once

#include "core/pod_view.h"
#include "core/result.h"

namespace shm::cli {

// An Error names the first field that is wrong: GPUs that are no whole number from 0 to 1024, and
// memory that is no quantity. Pure.
Result<void> CheckPodNumbers(const PodView& pod);

}  // namespace shm::cli
