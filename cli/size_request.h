// The flags of `shmctl size`, read and checked.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/env_view.h"
#include "core/result.h"

namespace shm::cli {

// As the user typed them; empty: not given.
struct SizeFlags {
  std::string tp, pp, dp, gpus, communicators;
  std::vector<std::string> env;  // "NAME=VALUE"
  std::string engine, memory_limit, size_per_gpu, max_size;
};

struct SizeRequest {
  int gpus = 1;                              // in the pod, 1 to 1024
  std::int64_t product = 1;                  // TP × PP × DP, 1 where none is given
  int communicators = 4;                     // 1 to 1024
  std::vector<EnvVar> env;                   // in the order given
  std::string engine;                        // one of EngineNames(), or empty: nothing but NCCL
  std::int64_t size_per_gpu;                 // bytes, above 0
  std::optional<std::int64_t> max_size;      // bytes, above 0
  std::optional<std::int64_t> memory_limit;  // bytes, above 0
};

// The engines' names as --engine takes them.
const std::vector<std::string>& EngineNames();

// The command that starts the engine of this name, for core's reader of command lines; empty for
// "".
std::vector<std::string> EngineCommandOf(const std::string& name);

// GPUs are --gpus, else TP × PP × DP: one of them must be given. An Error's field is the flag, and
// its message has the value.
Result<SizeRequest> ReadSizeRequest(const SizeFlags& flags);

}  // namespace shm::cli
