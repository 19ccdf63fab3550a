// Which inference engine a container runs, what its command line says of parallelism, and what the
// engine itself takes from /dev/shm beside NCCL. Flags, programs and figures are data with their
// sources: core/engine_flags.h, core/engine_programs.h, core/engine_figures.h.
//
// All functions are pure and safe to call from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/env_view.h"
#include "core/inference_service.h"

namespace shm {

enum class Engine { kUnknown, kVllm, kSglang, kTensorRtLlm, kLmdeploy, kTgi, kRay };

// Whether Ray may place the workers of an engine in other pods, too.
enum class RayUse {
  kNone,
  kAsked,  // the engine asks for Ray, and nothing of the pod joins it to others
  kJoined  // Ray is started or joined here
};

// The name a person uses: "vLLM", "SGLang", ...; "unknown engine" for kUnknown.
std::string_view EngineName(Engine engine);

struct EngineFacts {
  Engine engine = Engine::kUnknown;
  Degrees degrees;                      // what the command line says, each 1 to 1024
  std::optional<int> context_parallel;  // multiplies them where it is given, 1 to 1024
  std::optional<int> nodes;             // pods that the degrees are spread over, 1 to 1024
  RayUse ray = RayUse::kNone;
  bool complete = true;         // false: their product may not be all, a flag could not be told
  std::int64_t need_bytes = 0;  // the engine's own, without NCCL; saturates at INT64_MAX
  std::string need_words;  // its arithmetic, "vLLM 160 MiB + 240 MiB × 2 workers"; empty for 0
  // NCCL_* as the container's processes get them: of the pod, and on top of it of its scripts
  // (assignments, export, env, mpirun -x), in the order they are written.
  std::vector<EnvVar> nccl_env;
  std::vector<std::string> warnings;  // what could not be read; whole sentences without a period
};

// Reads one container. `command`, `args` and `env` as the pod has them, before the kubelet's own
// expansion. `gpus_of_container` (0 or more): its workers. `memory_limit`: of the container, in
// bytes, for the share of it that Ray takes. `env_before`: entries that come before those of `env`.
// `room`: what all containers of a pod may come to, as in ReadCommandLine.
//
// A value that cannot be told from the pod (valueFrom, a variable that is not set, a command
// substitution) or that is out of range is a warning and leaves its fact unset, never a guess. Of
// repeated flags the last wins; two commands that say different things set nothing. Where the
// image's entrypoint starts the engine, a flag that only one engine knows or the name of the
// `image` tells which; an engine that nothing tells is kUnknown, and its flags are read in the
// spellings that mean the same to every engine. A spelling that its engine would refuse sets
// nothing. Where a condition in a script decides, each fact counts only if it is the same either
// way, and the larger need counts.
EngineFacts ReadEngine(const std::vector<std::string>& command,
                       const std::vector<std::string>& args, const std::vector<EnvVar>& env,
                       int gpus_of_container, std::optional<std::int64_t> memory_limit,
                       std::string_view image = {}, const std::vector<EnvVar>& env_before = {},
                       std::size_t* room = nullptr);

}  // namespace shm
