// What the engines' command lines mean, as data. Facts only; each row says where it was read.
//
// Versions read: vLLM main of late 2026, SGLang main, TensorRT-LLM main, LMDeploy 0.16.0,
// text-generation-inference 3.3.6-dev0, Dynamo main, Ray master, Open MPI 5.
#pragma once

#include <string_view>

#include "core/engine.h"

namespace shm {

// What a flag or a variable sets.
enum class Meaning {
  kTensorParallel,
  kPipelineParallel,
  kDataParallel,
  kDataParallelRank,    // one rank of the data parallel group; the others run elsewhere
  kDataParallelInside,  // a switch: data parallelism divides the tensor parallel ranks
  kRanks,               // processes started = TP × PP
  kExecutor,            // "mp", "ray", ...
  kProcessorCacheType,  // "shm" puts the multi-modal cache into /dev/shm
  kProcessorCacheGib,
  kKvOffloadGib,
  kObjectStoreBytes,
  kConfigFile,  // a file that may set all of the above
};

// A flag. `name` with dashes: underscores in long names mean the same (vLLM's parser replaces them,
// TensorRT-LLM spells them so). `shortest` is the shortest abbreviation that argparse resolves to
// it, equal to `name` where none does.
struct EngineFlag {
  Engine engine;
  std::string_view name;
  std::string_view shortest;
  Meaning meaning;
  bool takes_value;
  std::string_view source;
};

inline constexpr std::string_view kVllmArgs = "vllm-project/vllm vllm/engine/arg_utils.py";
inline constexpr std::string_view kSglangArgs =
    "sgl-project/sglang python/sglang/srt/server_args.py";
inline constexpr std::string_view kTrtLlmServe =
    "NVIDIA/TensorRT-LLM tensorrt_llm/commands/serve.py";
inline constexpr std::string_view kDynamoTrtLlm =
    "ai-dynamo/dynamo components/src/dynamo/trtllm/backend_args.py";
inline constexpr std::string_view kLmdeployCli = "InternLM/lmdeploy lmdeploy/cli/utils.py (0.16.0)";
inline constexpr std::string_view kTgiLauncher =
    "huggingface/text-generation-inference launcher/src/main.rs (3.3.6-dev0)";
inline constexpr std::string_view kRayStart = "ray-project/ray python/ray/scripts/scripts.py";
inline constexpr std::string_view kAnyEngine = "the spellings that mean the same to every engine";

inline constexpr EngineFlag kEngineFlags[] = {
    {Engine::kVllm, "--tensor-parallel-size", "--tensor-p", Meaning::kTensorParallel, true,
     kVllmArgs},
    {Engine::kVllm, "-tp", "-tp", Meaning::kTensorParallel, true, kVllmArgs},
    {Engine::kVllm, "--pipeline-parallel-size", "--pipeline-p", Meaning::kPipelineParallel, true,
     kVllmArgs},
    {Engine::kVllm, "-pp", "-pp", Meaning::kPipelineParallel, true, kVllmArgs},
    {Engine::kVllm, "--data-parallel-size", "--data-parallel-size", Meaning::kDataParallel, true,
     kVllmArgs},
    {Engine::kVllm, "-dp", "-dp", Meaning::kDataParallel, true, kVllmArgs},
    {Engine::kVllm, "--data-parallel-rank", "--data-parallel-rank", Meaning::kDataParallelRank,
     true, kVllmArgs},
    {Engine::kVllm, "-dpn", "-dpn", Meaning::kDataParallelRank, true, kVllmArgs},
    {Engine::kVllm, "--distributed-executor-backend", "--distributed-executor-b",
     Meaning::kExecutor, true, kVllmArgs},
    {Engine::kVllm, "--mm-processor-cache-type", "--mm-processor-cache-t",
     Meaning::kProcessorCacheType, true, kVllmArgs},
    {Engine::kVllm, "--mm-processor-cache-gb", "--mm-processor-cache-g",
     Meaning::kProcessorCacheGib, true, kVllmArgs},
    {Engine::kVllm, "--kv-offloading-size", "--kv-offloading-s", Meaning::kKvOffloadGib, true,
     kVllmArgs},
    {Engine::kVllm, "--config", "--config", Meaning::kConfigFile, true,
     "vllm-project/vllm vllm/utils/argparse_utils.py"},

    {Engine::kSglang, "--tensor-parallel-size", "--tensor-p", Meaning::kTensorParallel, true,
     kSglangArgs},
    {Engine::kSglang, "--tp-size", "--tp", Meaning::kTensorParallel, true, kSglangArgs},
    {Engine::kSglang, "--pipeline-parallel-size", "--pipeline-p", Meaning::kPipelineParallel, true,
     kSglangArgs},
    {Engine::kSglang, "--pp-size", "--pp-s", Meaning::kPipelineParallel, true, kSglangArgs},
    {Engine::kSglang, "--pp", "--pp", Meaning::kPipelineParallel, true, kSglangArgs},
    {Engine::kSglang, "--data-parallel-size", "--data-parallel-s", Meaning::kDataParallel, true,
     kSglangArgs},
    {Engine::kSglang, "--dp-size", "--dp", Meaning::kDataParallel, true, kSglangArgs},
    {Engine::kSglang, "--enable-dp-attention", "--enable-dp-attention",
     Meaning::kDataParallelInside, false, kSglangArgs},
    {Engine::kSglang, "--config", "--config", Meaning::kConfigFile, true, kSglangArgs},

    {Engine::kTensorRtLlm, "--tp-size", "--tp-size", Meaning::kTensorParallel, true, kTrtLlmServe},
    {Engine::kTensorRtLlm, "--pp-size", "--pp-size", Meaning::kPipelineParallel, true,
     kTrtLlmServe},
    {Engine::kTensorRtLlm, "--tensor-parallel-size", "--tensor-p", Meaning::kTensorParallel, true,
     kDynamoTrtLlm},
    {Engine::kTensorRtLlm, "--pipeline-parallel-size", "--pipeline-p", Meaning::kPipelineParallel,
     true, kDynamoTrtLlm},
    {Engine::kTensorRtLlm, "--extra-llm-api-options", "--extra-llm-api-options",
     Meaning::kConfigFile, true, kTrtLlmServe},
    {Engine::kTensorRtLlm, "--extra-engine-args", "--extra-engine-args", Meaning::kConfigFile, true,
     kDynamoTrtLlm},

    // LMDeploy's --dp divides the ranks that --tp gives (DistConfig of lmdeploy/pytorch/config.py),
    // so it multiplies nothing and is no degree here.
    {Engine::kLmdeploy, "--tp", "--tp", Meaning::kTensorParallel, true, kLmdeployCli},
    {Engine::kLmdeploy, "--distributed-executor-backend", "--distributed-executor-b",
     Meaning::kExecutor, true, kLmdeployCli},

    {Engine::kTgi, "--num-shard", "--num-shard", Meaning::kTensorParallel, true, kTgiLauncher},

    {Engine::kRay, "--object-store-memory", "--object-store-memory", Meaning::kObjectStoreBytes,
     true, kRayStart},

    {Engine::kUnknown, "--tensor-parallel-size", "--tensor-parallel-size", Meaning::kTensorParallel,
     true, kAnyEngine},
    {Engine::kUnknown, "--tp-size", "--tp-size", Meaning::kTensorParallel, true, kAnyEngine},
    {Engine::kUnknown, "--tp", "--tp", Meaning::kTensorParallel, true, kAnyEngine},
    {Engine::kUnknown, "-tp", "-tp", Meaning::kTensorParallel, true, kAnyEngine},
    {Engine::kUnknown, "--num-shard", "--num-shard", Meaning::kTensorParallel, true, kAnyEngine},
    {Engine::kUnknown, "--pipeline-parallel-size", "--pipeline-parallel-size",
     Meaning::kPipelineParallel, true, kAnyEngine},
    {Engine::kUnknown, "--pp-size", "--pp-size", Meaning::kPipelineParallel, true, kAnyEngine},
    {Engine::kUnknown, "-pp", "-pp", Meaning::kPipelineParallel, true, kAnyEngine},
    {Engine::kUnknown, "--data-parallel-size", "--data-parallel-size", Meaning::kDataParallel, true,
     kAnyEngine},
    {Engine::kUnknown, "--dp-size", "--dp-size", Meaning::kDataParallel, true, kAnyEngine},
    {Engine::kUnknown, "-dp", "-dp", Meaning::kDataParallel, true, kAnyEngine},
};

// A variable that an engine reads where the flag is not given.
struct EngineVariable {
  Engine engine;
  std::string_view program;  // only for this program of the engine; empty: any
  std::string_view name;
  Meaning meaning;
  std::string_view source;
};

inline constexpr EngineVariable kEngineVariables[] = {
    {Engine::kTgi, "", "NUM_SHARD", Meaning::kTensorParallel, kTgiLauncher},
    {Engine::kTensorRtLlm, "dynamo.trtllm", "DYN_TRTLLM_TENSOR_PARALLEL_SIZE",
     Meaning::kTensorParallel, kDynamoTrtLlm},
    {Engine::kTensorRtLlm, "dynamo.trtllm", "DYN_TRTLLM_PIPELINE_PARALLEL_SIZE",
     Meaning::kPipelineParallel, kDynamoTrtLlm},
};

// How an engine is started: a program (its file name) with its next word, a Python module (a
// prefix, after -m), or a part of a script's path.
struct EngineProgram {
  enum class Kind { kBinary, kModule, kPath };
  Engine engine;
  Kind kind;
  std::string_view name;
  std::string_view next;  // empty: any
};

inline constexpr EngineProgram kEnginePrograms[] = {
    {Engine::kVllm, EngineProgram::Kind::kBinary, "vllm", "serve"},
    {Engine::kVllm, EngineProgram::Kind::kModule, "vllm.", ""},
    {Engine::kVllm, EngineProgram::Kind::kModule, "dynamo.vllm", ""},
    {Engine::kVllm, EngineProgram::Kind::kPath, "vllm/entrypoints/", ""},
    {Engine::kSglang, EngineProgram::Kind::kBinary, "sglang", "serve"},
    {Engine::kSglang, EngineProgram::Kind::kModule, "sglang.", ""},
    {Engine::kSglang, EngineProgram::Kind::kModule, "dynamo.sglang", ""},
    {Engine::kSglang, EngineProgram::Kind::kPath, "sglang/launch_server.py", ""},
    {Engine::kTensorRtLlm, EngineProgram::Kind::kBinary, "trtllm-serve", ""},
    {Engine::kTensorRtLlm, EngineProgram::Kind::kModule, "tensorrt_llm.", ""},
    {Engine::kTensorRtLlm, EngineProgram::Kind::kModule, "dynamo.trtllm", ""},
    {Engine::kLmdeploy, EngineProgram::Kind::kBinary, "lmdeploy", "serve"},
    {Engine::kLmdeploy, EngineProgram::Kind::kModule, "lmdeploy", ""},
    {Engine::kTgi, EngineProgram::Kind::kBinary, "text-generation-launcher", ""},
    {Engine::kRay, EngineProgram::Kind::kBinary, "ray", "start"},
    // vllm-project/vllm examples/online_serving/multi-node-serving.sh runs `ray start`.
    {Engine::kRay, EngineProgram::Kind::kPath, "multi-node-serving.sh", ""},
};

// Where nothing but flags is given (the image's entrypoint starts the engine): a flag that only one
// engine knows, or a part of the image's name.
struct EngineHint {
  Engine engine;
  std::string_view text;
};

inline constexpr EngineHint kFlagHints[] = {
    {Engine::kVllm, "--max-model-len"},
    {Engine::kVllm, "--gpu-memory-utilization"},
    {Engine::kVllm, "--enforce-eager"},
    {Engine::kVllm, "--max-num-seqs"},
    {Engine::kVllm, "--max-num-batched-tokens"},
    {Engine::kVllm, "--mm-processor-cache-type"},
    {Engine::kVllm, "--kv-offloading-size"},
    {Engine::kSglang, "--mem-fraction-static"},
    {Engine::kSglang, "--chunked-prefill-size"},
    {Engine::kSglang, "--context-length"},
    {Engine::kTgi, "--num-shard"},
    {Engine::kTgi, "--max-total-tokens"},
    {Engine::kTgi, "--max-input-tokens"},
    {Engine::kTgi, "--model-id"},
};

inline constexpr EngineHint kImageHints[] = {
    {Engine::kSglang, "sglang"},
    {Engine::kTensorRtLlm, "tensorrt-llm"},
    {Engine::kTensorRtLlm, "tensorrtllm"},
    {Engine::kTensorRtLlm, "trtllm"},
    {Engine::kLmdeploy, "lmdeploy"},
    {Engine::kTgi, "text-generation-inference"},
    {Engine::kVllm, "vllm"},
};

// What engines take from /dev/shm.
//
// vLLM's multiprocessing executor: one broadcast ring of 10 chunks of VLLM_MQ_MAX_CHUNK_BYTES_MB
// MiB (16 unset), and a response ring of 10 chunks of 24 MiB for each worker; one worker alone runs
// in the engine's process and has neither. Sources: vllm/v1/executor/multiproc_executor.py,
// vllm/distributed/device_communicators/shm_broadcast.py, vllm/envs.py of vllm-project/vllm.
inline constexpr int kVllmRingChunks = 10;
inline constexpr int kVllmRingChunkMib = 16;
inline constexpr int kVllmWorkerMib = 240;
inline constexpr std::string_view kVllmRingVariable = "VLLM_MQ_MAX_CHUNK_BYTES_MB";
// The multi-modal processor's cache: vllm/config/multimodal.py, vllm/multimodal/cache.py. KV
// offload: /dev/shm/vllm_offload_*.mmap of vllm/v1/kv_offload/cpu/shared_offload_region.py.
inline constexpr int kVllmProcessorCacheGib = 4;

// Ray's object store: ray-project/ray python/ray/_private/ray_constants.py, 0.3 of the memory, at
// most 200 × 10^9 bytes.
inline constexpr int kRayStorePercent = 30;
inline constexpr std::int64_t kRayStoreMost = 200'000'000'000;

// LMDeploy's multiprocessing executor: 32 blocks of 1 MiB and 8 bytes, one set for the commands and
// one for each rank's answers. Source: lmdeploy/pytorch/engine/executor/mp_executor.py (0.16.0).
inline constexpr std::int64_t kLmdeployBufferBytes = 32 * ((std::int64_t{1} << 20) + 8);

}  // namespace shm
