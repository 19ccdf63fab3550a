// How many GPUs one engine's command speaks of: its degrees and the pods that they are spread over.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/engine_args.h"
#include "core/inference_service.h"

namespace shm {

struct EngineDegrees {
  Degrees degrees;                      // over all pods of the replica
  std::optional<int> context_parallel;  // multiplies them, too
  std::optional<int> nodes;             // pods that the degrees are spread over
  int local_ranks = 1;                  // data parallel ranks in this pod
  bool complete = true;  // false: the product is not told by the degrees that are set
};

// What cannot be told has been, or is, written to `warnings`.
EngineDegrees ReadEngineDegrees(const EngineCommand& command, std::vector<std::string>* warnings);

}  // namespace shm
