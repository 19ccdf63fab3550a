// What the flags of the engines mean, as data. Facts only; each row says where it was read. How the
// engines are started is in core/engine_programs.h, what they take in core/engine_figures.h.
//
// Versions read: vLLM 0.33.0, SGLang 0.5.23 (and 0.5.2, 0.4.6.post5), Dynamo 1.6.1 and Ray 2.60.0,
// each as released; LMDeploy 0.16.0 (1263d5c), text-generation-inference 3.3.6-dev0 (db931fc),
// KServe (aaac4e2), TensorRT-LLM 029e223 (the list of all options that its tests hold; 1f71907 for
// --tp and --pp); Open MPI 5.
#pragma once

#include <string_view>

#include "core/engine.h"

namespace shm {

// What a flag or a variable sets.
enum class Meaning {
  kTensorParallel,
  kPipelineParallel,
  kContextParallel,  // where it multiplies the GPUs
  kExpertParallel,   // where it may be more than the tensor parallel ranks
  kDataParallel,
  kDataParallelLocal,   // ranks of the data parallel group in this pod
  kDataParallelRank,    // one rank of the data parallel group; the others have pods of their own
  kDataParallelInside,  // a switch: data parallelism divides the tensor parallel ranks
  kDataParallelBackend,
  kNodes,        // pods that the degrees are spread over
  kGpusPerNode,  // of those pods
  kRanks,        // processes started = TP × PP
  kSharded,      // "false" is one GPU
  kBackend,
  kExecutor,            // "mp", "ray", ...
  kProcessorCacheType,  // "shm" puts the multi-modal cache into /dev/shm
  kProcessorCacheGib,
  kKvOffloadGib,
  kKvOffloadBackend,
  kKvTransferConfig,  // JSON, which may ask for such a region as well
  kTensorArena,
  kObjectStoreBytes,
  kObjectStoreDirectory,
  kConfigFile,  // a file that may set all of the above
  kConfigText,  // the same as JSON
};

// Who reads the words of a command line.
enum class Parser {
  kVllm,
  kHuggingFaceServer,
  kSglang,
  kTrtLlmServe,
  kDynamoTrtLlm,
  kLmdeploy,
  kTgi,
  kRay,
  kAny,  // an engine that is not known
};

// `flags`: whose rows below it knows. `either_dash`: underscores and dashes in long names mean the
// same. `abbreviates`: a long name may be cut where it stays unique, and a one-letter flag joined
// with its value, as Python's argparse does by default (click and clap do neither).
struct ParserRule {
  Parser parser;
  Engine engine;
  Parser flags;
  bool either_dash;
  bool abbreviates;
  std::string_view source;
};

inline constexpr ParserRule kParserRules[] = {
    {Parser::kVllm, Engine::kVllm, Parser::kVllm, true, true,
     "vllm-project/vllm vllm/utils/argparse_utils.py, FlexibleArgumentParser.parse_args"},
    // It calls parse_known_args, which leaves underscores alone and drops what it does not know.
    {Parser::kHuggingFaceServer, Engine::kVllm, Parser::kVllm, false, true,
     "kserve/kserve python/huggingfaceserver/huggingfaceserver/__main__.py"},
    {Parser::kSglang, Engine::kSglang, Parser::kSglang, false, true,
     "sgl-project/sglang python/sglang/srt/server_args.py, prepare_server_args"},
    {Parser::kTrtLlmServe, Engine::kTensorRtLlm, Parser::kTrtLlmServe, false, false,
     "NVIDIA/TensorRT-LLM tensorrt_llm/commands/serve.py (click)"},
    {Parser::kDynamoTrtLlm, Engine::kTensorRtLlm, Parser::kDynamoTrtLlm, false, true,
     "ai-dynamo/dynamo components/src/dynamo/trtllm/args.py"},
    {Parser::kLmdeploy, Engine::kLmdeploy, Parser::kLmdeploy, false, true,
     "InternLM/lmdeploy lmdeploy/cli/entrypoint.py"},
    {Parser::kTgi, Engine::kTgi, Parser::kTgi, false, false,
     "huggingface/text-generation-inference launcher/src/main.rs (clap)"},
    {Parser::kRay, Engine::kRay, Parser::kRay, false, false,
     "ray-project/ray python/ray/scripts/scripts.py (click)"},
    {Parser::kAny, Engine::kUnknown, Parser::kAny, true, false, "what every engine means by it"},
};

// A flag as its engine spells it. `shortest` is the shortest abbreviation that means it in the
// versions read, equal to `name` where none does.
struct EngineFlag {
  Parser parser;
  std::string_view name;
  std::string_view shortest;
  Meaning meaning;
  bool takes_value;
  std::string_view source;
};

inline constexpr std::string_view kVllmArgs = "vllm-project/vllm vllm/engine/arg_utils.py";
inline constexpr std::string_view kVllmServe =
    "vllm-project/vllm vllm/entrypoints/common/cli_args.py";
inline constexpr std::string_view kSglangParallel =
    "sgl-project/sglang python/sglang/srt/arg_groups/fields/parallel.py";
inline constexpr std::string_view kSglangArgs =
    "sgl-project/sglang python/sglang/srt/server_args.py";
inline constexpr std::string_view kTrtLlmServeArgs =
    "NVIDIA/TensorRT-LLM tests/unittest/api_stability/references/trtllm_serve_cli.yaml";
inline constexpr std::string_view kTrtLlmShort =
    "NVIDIA/TensorRT-LLM tensorrt_llm/commands/common_llm_options.py (1f71907)";
inline constexpr std::string_view kDynamoTrtLlm =
    "ai-dynamo/dynamo components/src/dynamo/trtllm/backend_args.py";
inline constexpr std::string_view kLmdeployCli = "InternLM/lmdeploy lmdeploy/cli/utils.py";
inline constexpr std::string_view kTgiLauncher =
    "huggingface/text-generation-inference launcher/src/main.rs";
inline constexpr std::string_view kRayStart = "ray-project/ray python/ray/scripts/scripts.py";
inline constexpr std::string_view kAnyEngine = "the spellings that mean the same to every engine";

inline constexpr EngineFlag kEngineFlags[] = {
    // "--tensor-" rather than "--te": KServe's server adds --tensor_input_names to these.
    {Parser::kVllm, "--tensor-parallel-size", "--tensor-", Meaning::kTensorParallel, true,
     kVllmArgs},
    {Parser::kVllm, "-tp", "-t", Meaning::kTensorParallel, true, kVllmArgs},
    {Parser::kVllm, "--pipeline-parallel-size", "--pi", Meaning::kPipelineParallel, true,
     kVllmArgs},
    {Parser::kVllm, "-pp", "-pp", Meaning::kPipelineParallel, true, kVllmArgs},
    {Parser::kVllm, "--prefill-context-parallel-size", "--prefill-c", Meaning::kContextParallel,
     true, kVllmArgs},
    {Parser::kVllm, "-pcp", "-pc", Meaning::kContextParallel, true, kVllmArgs},
    {Parser::kVllm, "--data-parallel-size", "--data-parallel-size", Meaning::kDataParallel, true,
     kVllmArgs},
    {Parser::kVllm, "-dp", "-dp", Meaning::kDataParallel, true, kVllmArgs},
    {Parser::kVllm, "--data-parallel-size-local", "--data-parallel-size-",
     Meaning::kDataParallelLocal, true, kVllmArgs},
    {Parser::kVllm, "-dpl", "-dpl", Meaning::kDataParallelLocal, true, kVllmArgs},
    {Parser::kVllm, "--data-parallel-rank", "--data-parallel-ra", Meaning::kDataParallelRank, true,
     kVllmArgs},
    {Parser::kVllm, "-dpn", "-dpn", Meaning::kDataParallelRank, true, kVllmArgs},
    {Parser::kVllm, "--data-parallel-external-lb", "--data-parallel-e", Meaning::kDataParallelRank,
     false, kVllmArgs},
    {Parser::kVllm, "-dpe", "-dpe", Meaning::kDataParallelRank, false, kVllmArgs},
    {Parser::kVllm, "--data-parallel-backend", "--data-parallel-b", Meaning::kDataParallelBackend,
     true, kVllmArgs},
    {Parser::kVllm, "-dpb", "-dpb", Meaning::kDataParallelBackend, true, kVllmArgs},
    {Parser::kVllm, "--nnodes", "--nn", Meaning::kNodes, true, kVllmArgs},
    {Parser::kVllm, "-n", "-n", Meaning::kNodes, true, kVllmArgs},
    {Parser::kVllm, "--distributed-executor-backend", "--distributed-e", Meaning::kExecutor, true,
     kVllmArgs},
    {Parser::kVllm, "--mm-processor-cache-type", "--mm-processor-cache-t",
     Meaning::kProcessorCacheType, true, kVllmArgs},
    {Parser::kVllm, "--mm-processor-cache-gb", "--mm-processor-cache-g",
     Meaning::kProcessorCacheGib, true, kVllmArgs},
    {Parser::kVllm, "--kv-offloading-size", "--kv-offloading-s", Meaning::kKvOffloadGib, true,
     kVllmArgs},
    {Parser::kVllm, "--kv-offloading-backend", "--kv-offloading-b", Meaning::kKvOffloadBackend,
     true, kVllmArgs},
    {Parser::kVllm, "--kv-transfer-config", "--kv-t", Meaning::kKvTransferConfig, true, kVllmArgs},
    {Parser::kVllm, "--enable-shm-tensor-arena", "--enable-sh", Meaning::kTensorArena, false,
     kVllmArgs},
    {Parser::kVllm, "--config", "--config", Meaning::kConfigFile, true, kVllmServe},
    {Parser::kVllm, "--kaito-config-file", "--kaito-config-file", Meaning::kConfigFile, true,
     "kaito-project/kaito presets/workspace/inference/vllm/inference_api.py"},

    {Parser::kSglang, "--tensor-parallel-size", "--te", Meaning::kTensorParallel, true,
     kSglangParallel},
    {Parser::kSglang, "--tp-size", "--tp", Meaning::kTensorParallel, true, kSglangParallel},
    {Parser::kSglang, "--pipeline-parallel-size", "--pi", Meaning::kPipelineParallel, true,
     kSglangParallel},
    {Parser::kSglang, "--pp-size", "--pp-s", Meaning::kPipelineParallel, true, kSglangParallel},
    // Unique in 0.5.2; 0.5.23 refuses it beside --pp-max-micro-batch-size.
    {Parser::kSglang, "--pp", "--pp", Meaning::kPipelineParallel, true, kSglangArgs},
    {Parser::kSglang, "--data-parallel-size", "--da", Meaning::kDataParallel, true,
     kSglangParallel},
    {Parser::kSglang, "--dp-size", "--dp", Meaning::kDataParallel, true, kSglangParallel},
    // The exact name is the beginning of another. --attn-dp-size, its successor, multiplies
    // nothing and needs no row.
    {Parser::kSglang, "--enable-dp-attention", "--enable-dp-attention",
     Meaning::kDataParallelInside, false, kSglangArgs},
    {Parser::kSglang, "--nnodes", "--nn", Meaning::kNodes, true, kSglangParallel},
    {Parser::kSglang, "--config", "--conf", Meaning::kConfigFile, true, kSglangArgs},

    {Parser::kTrtLlmServe, "--tensor_parallel_size", "--tensor_parallel_size",
     Meaning::kTensorParallel, true, kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--tp_size", "--tp_size", Meaning::kTensorParallel, true,
     kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--tp", "--tp", Meaning::kTensorParallel, true, kTrtLlmShort},
    {Parser::kTrtLlmServe, "--pipeline_parallel_size", "--pipeline_parallel_size",
     Meaning::kPipelineParallel, true, kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--pp_size", "--pp_size", Meaning::kPipelineParallel, true,
     kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--pp", "--pp", Meaning::kPipelineParallel, true, kTrtLlmShort},
    {Parser::kTrtLlmServe, "--context_parallel_size", "--context_parallel_size",
     Meaning::kContextParallel, true, kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--cp_size", "--cp_size", Meaning::kContextParallel, true,
     kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--gpus_per_node", "--gpus_per_node", Meaning::kGpusPerNode, true,
     kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--extra_llm_api_options", "--extra_llm_api_options",
     Meaning::kConfigFile, true, kTrtLlmServeArgs},
    {Parser::kTrtLlmServe, "--config", "--config", Meaning::kConfigFile, true, kTrtLlmServeArgs},

    {Parser::kDynamoTrtLlm, "--tensor-parallel-size", "--ten", Meaning::kTensorParallel, true,
     kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "--pipeline-parallel-size", "--pi", Meaning::kPipelineParallel, true,
     kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "--gpus-per-node", "--gp", Meaning::kGpusPerNode, true, kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "--extra-engine-args", "--ext", Meaning::kConfigFile, true,
     kDynamoTrtLlm},
    {Parser::kDynamoTrtLlm, "--override-engine-args", "--ov", Meaning::kConfigText, true,
     kDynamoTrtLlm},

    {Parser::kLmdeploy, "--tp", "--tp", Meaning::kTensorParallel, true, kLmdeployCli},
    {Parser::kLmdeploy, "--dp", "--dp", Meaning::kDataParallel, true, kLmdeployCli},
    {Parser::kLmdeploy, "--ep", "--ep", Meaning::kExpertParallel, true, kLmdeployCli},
    {Parser::kLmdeploy, "--nnodes", "--nn", Meaning::kNodes, true, kLmdeployCli},
    {Parser::kLmdeploy, "--backend", "--bac", Meaning::kBackend, true, kLmdeployCli},
    {Parser::kLmdeploy, "--distributed-executor-backend", "--distr", Meaning::kExecutor, true,
     kLmdeployCli},

    {Parser::kTgi, "--num-shard", "--num-shard", Meaning::kTensorParallel, true, kTgiLauncher},
    {Parser::kTgi, "--sharded", "--sharded", Meaning::kSharded, true, kTgiLauncher},

    {Parser::kRay, "--object-store-memory", "--object-store-memory", Meaning::kObjectStoreBytes,
     true, kRayStart},
    {Parser::kRay, "--min-nodes", "--min-nodes", Meaning::kNodes, true,
     "ray-project/ray python/ray/scripts/symmetric_run.py"},
    {Parser::kRay, "--ray_cluster_size", "--ray_cluster_size", Meaning::kNodes, true,
     "vllm-project/vllm examples/online_serving/multi-node-serving.sh"},
    {Parser::kRay, "--plasma-directory", "--plasma-directory", Meaning::kObjectStoreDirectory, true,
     kRayStart},

    {Parser::kAny, "--tensor-parallel-size", "--tensor-parallel-size", Meaning::kTensorParallel,
     true, kAnyEngine},
    {Parser::kAny, "--tp-size", "--tp-size", Meaning::kTensorParallel, true, kAnyEngine},
    {Parser::kAny, "--tp", "--tp", Meaning::kTensorParallel, true, kAnyEngine},
    {Parser::kAny, "-tp", "-tp", Meaning::kTensorParallel, true, kAnyEngine},
    {Parser::kAny, "--num-shard", "--num-shard", Meaning::kTensorParallel, true, kAnyEngine},
    {Parser::kAny, "--pipeline-parallel-size", "--pipeline-parallel-size",
     Meaning::kPipelineParallel, true, kAnyEngine},
    {Parser::kAny, "--pp-size", "--pp-size", Meaning::kPipelineParallel, true, kAnyEngine},
    {Parser::kAny, "--pp", "--pp", Meaning::kPipelineParallel, true, kAnyEngine},
    {Parser::kAny, "-pp", "-pp", Meaning::kPipelineParallel, true, kAnyEngine},
    {Parser::kAny, "--data-parallel-size", "--data-parallel-size", Meaning::kDataParallel, true,
     kAnyEngine},
    {Parser::kAny, "--dp-size", "--dp-size", Meaning::kDataParallel, true, kAnyEngine},
    {Parser::kAny, "--dp", "--dp", Meaning::kDataParallel, true, kAnyEngine},
    {Parser::kAny, "-dp", "-dp", Meaning::kDataParallel, true, kAnyEngine},
    {Parser::kAny, "--nnodes", "--nnodes", Meaning::kNodes, true, kAnyEngine},
};

}  // namespace shm
