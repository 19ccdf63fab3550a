// What the engines themselves take from /dev/shm, beside NCCL; the figures are in
// core/engine_figures.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine_degrees.h"

namespace shm {

struct EngineNeed {
  std::int64_t bytes = 0;  // saturates at INT64_MAX
  std::string words;       // its arithmetic; empty for 0
};

// The sum over the commands of one container; of several that start the same engine the first
// counts. `degrees`: of each command. gpus: the container's, 0 to 1024.
EngineNeed ReadEngineNeed(const std::vector<EngineCommand>& commands,
                          const std::vector<EngineDegrees>& degrees, const PodEnv& env, int gpus,
                          std::optional<std::int64_t> memory_limit,
                          std::vector<std::string>* warnings);

}  // namespace shm
