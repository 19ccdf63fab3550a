// How large a pod's /dev/shm is made, and the arithmetic in words.
//
//   computed = max(sizePerGPU × GPUs in the pod, Σ over GPU containers (engine need + NCCL
//              provision)), rounded up to a MiB, at most maxSize
//
// An explicit size replaces it as it stands, at most maxSize. The engine's and NCCL's files lie in
// one tmpfs, hence the sum. All arithmetic saturates. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/reason.h"

namespace shm {

// One GPU container's share.
struct ContainerNeed {
  std::int64_t engine_bytes = 0;
  std::string engine_words;     // its arithmetic; empty for 0
  std::int64_t nccl_bytes = 0;  // the provision
};

struct SizeInput {
  int gpus = 0;                   // in the pod, 0 to 1024
  std::int64_t size_per_gpu = 0;  // bytes
  int communicators = 4;
  std::vector<ContainerNeed> needs;
  std::optional<std::int64_t> max_size;       // bytes
  std::optional<std::int64_t> explicit_size;  // bytes, above 0
  std::string explicit_source;                // "annotation shm-operator.dev/shm-size"
};

struct SizeDecision {
  std::int64_t size = 0;      // bytes; 0: nothing asks for any
  std::int64_t computed = 0;  // what the formula says, maxSize left out
  std::int64_t need = 0;      // Σ of the needs
  std::string arithmetic;     // "max(1Gi × 2 GPUs, need 516Mi = ...) = 2Gi"
  Notes notes;                // kBelowComputedNeed, kCappedAtMaxSize
};

SizeDecision DecideSize(const SizeInput& input);

}  // namespace shm
