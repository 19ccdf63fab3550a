// How the engines are started, as data: programs, variables, and what gives an engine away where
// the image's entrypoint starts it. Versions as in core/engine_flags.h.
#pragma once

#include <string_view>

#include "core/engine_flags.h"

namespace shm {

// A program (its file name) with its next word, a Python module (a prefix, after -m), or a part of
// a script's path.
struct EngineProgram {
  enum class Kind { kBinary, kModule, kPath };
  Parser parser;
  Kind kind;
  std::string_view name;
  std::string_view next;  // empty: any
  std::string_view source;
};

inline constexpr EngineProgram kEnginePrograms[] = {
    {Parser::kVllm, EngineProgram::Kind::kBinary, "vllm", "serve",
     "vllm-project/vllm vllm/entrypoints/cli/serve.py"},
    {Parser::kVllm, EngineProgram::Kind::kModule, "vllm.", "",
     "vllm-project/vllm vllm/entrypoints/openai/api_server.py"},
    {Parser::kVllm, EngineProgram::Kind::kModule, "dynamo.vllm", "",
     "ai-dynamo/dynamo components/src/dynamo/vllm/args.py: the rest goes to vLLM's parser"},
    {Parser::kVllm, EngineProgram::Kind::kPath, "vllm/entrypoints/", "",
     "vllm-project/vllm vllm/entrypoints/openai/api_server.py"},
    {Parser::kVllm, EngineProgram::Kind::kBinary, "vllm-rs", "serve",
     "vllm-project/vllm rust/src/cmd/src/cli.rs: what it does not know goes to vLLM's parser"},
    {Parser::kVllm, EngineProgram::Kind::kPath, "vllm/inference_api.py", "",
     "kaito-project/kaito presets/workspace/inference/vllm/inference_api.py (056b828): the rest "
     "goes to vLLM's parser"},
    {Parser::kHuggingFaceServer, EngineProgram::Kind::kModule, "huggingfaceserver", "",
     "kserve/kserve python/huggingface_server.Dockerfile"},
    {Parser::kSglang, EngineProgram::Kind::kBinary, "sglang", "serve",
     "sgl-project/sglang python/sglang/cli/main.py"},
    {Parser::kSglang, EngineProgram::Kind::kModule, "sglang.", "",
     "sgl-project/sglang python/sglang/launch_server.py"},
    {Parser::kSglang, EngineProgram::Kind::kModule, "dynamo.sglang", "",
     "ai-dynamo/dynamo components/src/dynamo/sglang/args.py: the rest goes to SGLang's parser"},
    {Parser::kSglang, EngineProgram::Kind::kPath, "sglang/launch_server.py", "",
     "sgl-project/sglang python/sglang/launch_server.py"},
    {Parser::kTrtLlmServe, EngineProgram::Kind::kBinary, "trtllm-serve", "", kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, EngineProgram::Kind::kModule, "tensorrt_llm.commands.serve", "",
     kTrtLlmServeArgs},
    {Parser::kDynamoTrtLlm, EngineProgram::Kind::kModule, "dynamo.trtllm", "",
     "ai-dynamo/dynamo components/src/dynamo/trtllm/args.py"},
    {Parser::kLmdeploy, EngineProgram::Kind::kBinary, "lmdeploy", "serve",
     "InternLM/lmdeploy lmdeploy/cli/serve.py"},
    {Parser::kLmdeploy, EngineProgram::Kind::kModule, "lmdeploy", "",
     "InternLM/lmdeploy lmdeploy/__main__.py"},
    {Parser::kTgi, EngineProgram::Kind::kBinary, "text-generation-launcher", "", kTgiLauncher},
    {Parser::kRay, EngineProgram::Kind::kBinary, "ray", "start", kRayStart},
    {Parser::kRay, EngineProgram::Kind::kBinary, "ray", "symmetric-run",
     "ray-project/ray python/ray/scripts/symmetric_run.py"},
    {Parser::kRay, EngineProgram::Kind::kPath, "multi-node-serving.sh", "",
     "vllm-project/vllm examples/online_serving/multi-node-serving.sh"},
};

// A variable that means what a flag means; the flag wins.
struct EngineVariable {
  Parser parser;
  std::string_view name;
  Meaning meaning;
  std::string_view source;
};

inline constexpr std::string_view kNimSample =
    "NVIDIA/k8s-nim-operator config/samples/nim/llm/multi-node/multi-node-nimservice.yaml "
    "(b3631f3)";

inline constexpr EngineVariable kEngineVariables[] = {
    {Parser::kTgi, "NUM_SHARD", Meaning::kTensorParallel, kTgiLauncher},
    {Parser::kTgi, "SHARDED", Meaning::kSharded, kTgiLauncher},
    {Parser::kDynamoTrtLlm, "DYN_TRTLLM_TENSOR_PARALLEL_SIZE", Meaning::kTensorParallel,
     kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "DYN_TRTLLM_PIPELINE_PARALLEL_SIZE", Meaning::kPipelineParallel,
     kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "DYN_TRTLLM_GPUS_PER_NODE", Meaning::kGpusPerNode, kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "DYN_TRTLLM_EXTRA_ENGINE_ARGS", Meaning::kConfigFile, kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "DYN_TRTLLM_OVERRIDE_ENGINE_ARGS", Meaning::kConfigText, kDynamoTrtLlm},
    // NVIDIA NIM, whose image picks the engine.
    {Parser::kAny, "NIM_TENSOR_PARALLEL_SIZE", Meaning::kTensorParallel, kNimSample},
    {Parser::kAny, "NIM_PIPELINE_PARALLEL_SIZE", Meaning::kPipelineParallel, kNimSample},
};

// Variables that a published script expands into the engine's arguments and that pods alone set:
// where the pod does not, it is empty.
struct PodVariable {
  std::string_view name;
  std::string_view source;
};

inline constexpr PodVariable kPodVariables[] = {
    {"VLLM_ADDITIONAL_ARGS",
     "kserve/kserve config/llmisvcconfig/config-llm-template.yaml (aaac4e2)"},
};

// Where no word names an engine: a part of the image's name, or a flag that one engine alone knows
// and spells so.
struct EngineHint {
  Parser parser;
  std::string_view text;
};

inline constexpr EngineHint kImageHints[] = {
    {Parser::kSglang, "sglang"},
    {Parser::kTrtLlmServe, "tensorrt-llm"},
    {Parser::kTrtLlmServe, "tensorrtllm"},
    {Parser::kTrtLlmServe, "trtllm"},
    {Parser::kLmdeploy, "lmdeploy"},
    {Parser::kTgi, "text-generation-inference"},
    {Parser::kHuggingFaceServer, "huggingfaceserver"},
    {Parser::kVllm, "vllm"},
};

inline constexpr EngineHint kFlagHints[] = {
    {Parser::kVllm, "--max-model-len"},
    {Parser::kVllm, "--gpu-memory-utilization"},
    {Parser::kVllm, "--enforce-eager"},
    {Parser::kVllm, "--max-num-seqs"},
    {Parser::kVllm, "--max-num-batched-tokens"},
    {Parser::kVllm, "--mm-processor-cache-type"},
    {Parser::kVllm, "--kv-offloading-size"},
    {Parser::kVllm, "--kv-transfer-config"},
    {Parser::kSglang, "--mem-fraction-static"},
    {Parser::kSglang, "--chunked-prefill-size"},
    {Parser::kSglang, "--context-length"},
    {Parser::kTrtLlmServe, "--extra_llm_api_options"},
    {Parser::kTrtLlmServe, "--kv_cache_free_gpu_memory_fraction"},
    {Parser::kTgi, "--num-shard"},
    {Parser::kTgi, "--max-input-tokens"},
    {Parser::kTgi, "--model-id"},
    // With an underscore it is KServe's.
    {Parser::kHuggingFaceServer, "--model_id"},
};

}  // namespace shm
