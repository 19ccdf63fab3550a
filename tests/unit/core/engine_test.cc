#include "core/engine.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine_args.h"
#include "core/engine_names.h"
#include "core/engine_programs.h"

namespace shm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;
using Strings = std::vector<std::string>;

struct Case {
  Strings command;
  Engine engine;
  std::optional<int> tp;
  std::optional<int> pp = std::nullopt;
  std::optional<int> dp = std::nullopt;
  int warnings = 0;
  std::vector<EnvVar> env = {};
  std::string image = {};
};

std::string Joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += "[" + word + "] ";
  return text;
}

void Check(const Case& c) {
  INFO(Joined(c.command));
  const EngineFacts facts = ReadEngine(c.command, {}, c.env, 2, std::nullopt, c.image);
  INFO(Joined(facts.warnings));
  CHECK(EngineName(facts.engine) == EngineName(c.engine));
  CHECK(facts.degrees.tensor_parallel == c.tp);
  CHECK(facts.degrees.pipeline_parallel == c.pp);
  CHECK(facts.degrees.data_parallel == c.dp);
  CHECK(facts.warnings.size() == static_cast<std::size_t>(c.warnings));
}

constexpr std::optional<int> kNone = std::nullopt;

TEST_CASE("S6: every engine's spelling of its parallel degrees is read") {
  const std::vector<Case> cases = {
      {{"vllm", "serve", "m", "--tensor-parallel-size", "4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "--tensor-parallel-size=4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "--tensor_parallel_size=4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "--tensor-parallel", "4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "-tp", "4", "-pp", "2", "-dp=3"}, Engine::kVllm, 4, 2, 3},
      {{"vllm", "serve", "m", "-tp=4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "-t", "4"}, Engine::kVllm, 4},
      {{"vllm", "serve", "m", "--pipeline", "2"}, Engine::kVllm, kNone, 2},
      {{"vllm", "serve", "m", "--Tensor-Parallel-Size", "2"}, Engine::kVllm, kNone},
      {{"vllm", "serve", "-tp", "2", "-tp", "8"}, Engine::kVllm, 8},
      {{"/opt/venv/bin/vllm", "serve", "--pipeline_parallel_size", "2"}, Engine::kVllm, kNone, 2},
      {{"vllm", "serve", "--data-parallel-size-local", "2"}, Engine::kVllm, kNone},
      {{"vllm", "serve", "-dp", "8", "--data-parallel-rank", "3"}, Engine::kVllm, kNone, kNone, 8},
      {{"python", "-m", "vllm.entrypoints.openai.api_server", "-tp", "2"}, Engine::kVllm, 2},
      {{"python3", "-u", "-m", "vllm.entrypoints.api_server", "-tp=2"}, Engine::kVllm, 2},
      {{"python3", "/vllm-workspace/vllm/entrypoints/openai/api_server.py", "-tp", "2"},
       Engine::kVllm,
       2},
      {{"python3", "-m", "dynamo.vllm", "--model", "m", "--tensor-parallel-size", "2"},
       Engine::kVllm,
       2},
      {{"python3", "-m", "sglang.launch_server", "--tp", "8", "--dp", "2"},
       Engine::kSglang,
       8,
       kNone,
       2},
      {{"python3", "-m", "sglang.launch_server", "--tp-size=8", "--pp-size", "2"},
       Engine::kSglang,
       8,
       2},
      {{"python3", "-m", "sglang.launch_server", "--tensor-parallel-size", "8"},
       Engine::kSglang,
       8},
      {{"sglang", "serve", "--tp", "8", "--dp-size", "8", "--enable-dp-attention"},
       Engine::kSglang,
       8},
      {{"sglang", "serve", "--tp", "8", "--attn-dp-size", "8"}, Engine::kSglang, 8},
      {{"sglang", "serve", "--tensor", "8", "--pp", "2", "--data-parallel-size=2"},
       Engine::kSglang,
       8,
       2,
       2},
      {{"python3", "-m", "dynamo.sglang", "--tp", "4"}, Engine::kSglang, 4},
      {{"trtllm-serve", "m", "--tp_size", "4", "--pp_size=2"}, Engine::kTensorRtLlm, 4, 2},
      {{"trtllm-serve", "serve", "m", "--tp", "4", "--pp", "2"}, Engine::kTensorRtLlm, 4, 2},
      {{"trtllm-serve", "m", "--tensor_parallel_size", "4", "--pipeline_parallel_size=2"},
       Engine::kTensorRtLlm,
       4,
       2},
      {{"python3", "-m", "tensorrt_llm.commands.serve", "m", "--tp_size=4"},
       Engine::kTensorRtLlm,
       4},
      {{"mpirun", "-n", "8", "--allow-run-as-root", "trtllm-serve", "m"}, Engine::kTensorRtLlm, 8},
      {{"mpirun", "-np", "8", "trtllm-serve", "m", "--pp_size", "2"}, Engine::kTensorRtLlm, 4, 2},
      {{"mpirun", "-n", "8", "-x", "A", "bash", "-c", "trtllm-llmapi-launch trtllm-serve m"},
       Engine::kTensorRtLlm,
       8},
      {{"sh", "-c", "mpirun -n 4 sh -c 'sleep 1; eval \"trtllm-serve m\"'"},
       Engine::kTensorRtLlm,
       4},
      {{"mpirun", "-n", "8", "trtllm-llmapi-launch", "trtllm-serve", "m", "--tp_size", "8"},
       Engine::kTensorRtLlm,
       8},
      {{"python3", "-m", "dynamo.trtllm", "--tensor-parallel-size", "4"}, Engine::kTensorRtLlm, 4},
      {{"python3", "-m", "dynamo.trtllm"},
       Engine::kTensorRtLlm,
       4,
       kNone,
       kNone,
       0,
       {{"DYN_TRTLLM_TENSOR_PARALLEL_SIZE", "4"}}},
      {{"lmdeploy", "serve", "api_server", "m", "--tp", "2"}, Engine::kLmdeploy, 2},
      {{"lmdeploy", "serve", "api_server", "m", "--tp=8", "--dp", "8"}, Engine::kLmdeploy, 8},
      {{"lmdeploy", "serve", "api_server", "m", "--tp=8", "--dp", "8", "--backend", "pytorch"},
       Engine::kLmdeploy,
       1,
       kNone,
       8,
       1},
      {{"lmdeploy", "serve", "api_server", "m", "--ep", "8", "--dp=2", "--backend=pytorch",
        "--distributed-executor-backend", "mp"},
       Engine::kLmdeploy,
       4,
       kNone,
       2},
      {{"python3", "-m", "huggingfaceserver", "--model_id=m", "--tensor-parallel-size=4"},
       Engine::kVllm,
       4},
      {{"text-generation-launcher", "--model-id", "m", "--num-shard", "2"}, Engine::kTgi, 2},
      {{"text-generation-launcher", "--num-shard=2"}, Engine::kTgi, 2},
      {{"text-generation-launcher"}, Engine::kTgi, 2, kNone, kNone, 0, {{"NUM_SHARD", "2"}}},
      {{"text-generation-launcher", "--num-shard", "4"},
       Engine::kTgi,
       4,
       kNone,
       kNone,
       0,
       {{"NUM_SHARD", "2"}}},
      {{"text-generation-launcher", "--sharded", "false"}, Engine::kTgi, 1},
      {{"text-generation-launcher"}, Engine::kTgi, 1, kNone, kNone, 0, {{"SHARDED", "false"}}},
      {{"--model-id", "m"}, Engine::kTgi, 4, kNone, kNone, 0, {{"NUM_SHARD", "4"}}},
      {{"--port", "80"},
       Engine::kTgi,
       4,
       kNone,
       kNone,
       0,
       {{"NUM_SHARD", "4"}},
       "huggingface/text-generation-inference:3.3"},
      {{},
       Engine::kUnknown,
       8,
       2,
       kNone,
       0,
       {{"NIM_TENSOR_PARALLEL_SIZE", "8"}, {"NIM_PIPELINE_PARALLEL_SIZE", "2"}},
       "nim/meta/llama-3.1-405b-instruct:1.8"},
      {{"python3", "my_server.py", "--tensor-parallel-size", "2"}, Engine::kUnknown, 2},
      {{"python3", "my_server.py", "--tp=2", "--pp=4", "--dp", "3"}, Engine::kUnknown, 2, 4, 3},
      {{"vllm-rs", "serve", "m", "--tensor-parallel-size", "2"}, Engine::kVllm, 2},
      {{"python3", "/workspace/vllm/inference_api.py", "--tensor-parallel-size=4"},
       Engine::kVllm,
       4},
      {{"python3", "/workspace/vllm/inference_api.py", "--kaito-config-file=/mnt/config.yaml"},
       Engine::kVllm,
       kNone,
       kNone,
       kNone,
       1},
      {{"sh", "-c", "ray start --head; python3 serve.py --tensor-parallel-size 2"},
       Engine::kRay,
       2},
      {{"python3", "my_server.py", "--tp_size=2"}, Engine::kUnknown, 2},
      {{"--model", "m", "--max-model-len", "4096", "-tp", "2"}, Engine::kVllm, 2},
      {{"--model-path", "m", "--mem-fraction-static=0.8", "--tp", "2"}, Engine::kSglang, 2},
      {{"--model-id", "m", "--num-shard", "2"}, Engine::kTgi, 2},
      {{"--model_id=m", "--tensor-parallel-size=2"}, Engine::kVllm, 2},
      {{"serve", "m", "--extra_llm_api_options", "/c.yaml", "--tp_size", "2"},
       Engine::kTensorRtLlm,
       2},
      {{"sleep", "infinity"}, Engine::kUnknown, kNone},
      {{}, Engine::kUnknown, kNone},
  };
  for (const Case& c : cases) Check(c);
}

TEST_CASE("A degree inside a shell's script is read as the shell reads it") {
  const auto sh = [](const std::string& script) { return Strings{"/bin/sh", "-c", script}; };
  const std::vector<Case> cases = {
      {sh("vllm serve m --tensor-parallel-size 2"), Engine::kVllm, 2},
      {{"bash", "-lc", "exec vllm serve m -tp 2"}, Engine::kVllm, 2},
      {{"bash", "-eo", "pipefail", "-c", "vllm serve m -tp 2"}, Engine::kVllm, 2},
      {{"/usr/bin/tini", "--", "bash", "-c", "vllm serve m -tp 2"}, Engine::kVllm, 2},
      {sh("vllm serve m \\\n  --tensor-parallel-size \\\n  2 \\\n  --port 8000"), Engine::kVllm, 2},
      {sh("vllm serve m \\\r\n  -tp 2"), Engine::kVllm, 2},
      {sh("vllm serve 'a model' \"--tensor-parallel-size=2\""), Engine::kVllm, 2},
      {sh("vllm serve m --served-model-name '-tp 9' -tp '2'"), Engine::kVllm, 2},
      {sh("cd /app && pip install vllm && VLLM_USE_V1=1 exec vllm serve m -tp 2"), Engine::kVllm,
       2},
      {sh("# vllm serve m -tp 8\nvllm serve m -tp 2 # -tp 4"), Engine::kVllm, 2},
      {sh("echo vllm serve m -tp 8; vllm serve m -tp 2"), Engine::kVllm, 2},
      {sh("cat > /tmp/c <<EOF\nvllm serve -tp 8\nEOF\nvllm serve m -tp 2 > /tmp/log 2>&1"),
       Engine::kVllm, 2},
      {sh("TP=2; vllm serve m -tp $TP"), Engine::kVllm, 2},
      {sh("export TP=2 && vllm serve m -tp ${TP}"), Engine::kVllm, 2},
      {sh("ARGS='--port 80 -tp 2'; vllm serve m $ARGS"), Engine::kVllm, 2},
      {sh("vllm serve m -tp ${TP:-2}"), Engine::kVllm, 2},
      {sh("vllm serve m -tp $((1+1))"), Engine::kVllm, 2},
      {sh("N=2; vllm serve m -tp $((N * 4 / $(($N * 2))))"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("N=2; vllm serve m -dp \"$((N * 4 / (${N} * 2)))\" -tp 2"), Engine::kVllm, 2, kNone, 2},
      {sh("vllm serve m -tp \"${TP:=2}\""), Engine::kVllm, 2},
      {sh("vllm serve m -tp $TP"), Engine::kVllm, 2, kNone, kNone, 0, {{"TP", "2"}}},
      {sh("vllm serve m -tp $(TP)"), Engine::kVllm, 2, kNone, kNone, 0, {{"TP", "2"}}},
      {sh("vllm serve m -tp ${TP:-8}"), Engine::kVllm, 2, kNone, kNone, 0, {{"TP", "2"}}},
      {{"sh", "-c", "exec vllm serve \"$@\"", "--", "m", "-tp", "2"}, Engine::kVllm, 2},
      {{"sh", "-c", "exec vllm serve m -tp $1", "x", "2"}, Engine::kVllm, 2},
      {sh("set -- m -tp 2; vllm serve \"$@\""), Engine::kVllm, 2},
      {sh("NUM_SHARD=2 text-generation-launcher"), Engine::kTgi, 2},
      {sh("sh -c \"vllm serve m -tp 2\""), Engine::kVllm, 2},
      {sh("if [ -f /x ]; then vllm serve m -tp 2; else vllm serve m -tp 2; fi"), Engine::kVllm, 2},
      {sh("ray start --head --port=6379 && vllm serve m -tp 2"), Engine::kVllm, 2},
      {sh("A=--quiet; [ -f /x ] && A='--log b'; vllm serve m $A -tp 2"), Engine::kVllm, 2},
      {sh("[ -f /x ] && A='--log b'; vllm serve m $A -tp 2"), Engine::kVllm, 2},
      {sh("A='-tp 2'; [ -f /x ] && A='-tp 2 --log b'; vllm serve m $A"), Engine::kVllm, 2},
      {sh("vllm serve m -tp 2 ${VLLM_ADDITIONAL_ARGS}"), Engine::kVllm, 2},
  };
  for (const Case& c : cases) Check(c);
}

TEST_CASE("What cannot be told is a warning and never a guess") {
  const auto sh = [](const std::string& script) { return Strings{"sh", "-c", script}; };
  const std::vector<Case> cases = {
      {{"vllm", "serve", "-tp", "$(TP)"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "$$(TP)"}, Engine::kVllm, kNone, kNone, kNone, 1, {{"TP", "2"}}},
      {{"vllm", "serve", "-tp", "${TP}"}, Engine::kVllm, kNone, kNone, kNone, 1, {{"TP", "2"}}},
      {{"vllm", "serve", "-tp=$(TP)"}, Engine::kVllm, kNone, kNone, kNone, 1, {{"TP", "", true}}},
      {{"vllm", "serve", "-tp", "2", "-tp", "$(TP)"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "0"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "1025"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "-2"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "two"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "2.0"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "99999999999999999999"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp", "--port"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "-tp4"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "--config", "/etc/vllm.yaml"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "--config", "/etc/vllm.yaml", "-tp", "2"}, Engine::kVllm, 2},
      {sh("vllm serve m -tp $TP"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("vllm serve m -tp ${TP}"), Engine::kVllm, kNone, kNone, kNone, 1, {{"TP", "", true}}},
      {sh("vllm serve m -tp ${TP:-2}"), Engine::kVllm, kNone, kNone, kNone, 1, {{"TP", "", true}}},
      {sh("vllm serve m -tp $(nvidia-smi -L | wc -l)"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("vllm serve m -tp `nproc`"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("vllm serve m -tp $((GPUS / 2))"), Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "m", "$(EXTRA)"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "--data-parallel", "2"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "--tp-size", "2"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "m", "--tensor-parallel-size 4"}, Engine::kVllm, kNone, kNone, kNone, 1},
      {{"vllm", "serve", "m", "--served-model-name a b"}, Engine::kVllm, kNone},
      {{"sglang", "serve", "--tensor_parallel_size", "2"}, Engine::kSglang, kNone, kNone, kNone, 1},
      {{"sglang", "serve", "--tp_size=2"}, Engine::kSglang, kNone, kNone, kNone, 1},
      {{"sglang", "serve", "-tp", "2"}, Engine::kSglang, kNone, kNone, kNone, 1},
      {{"trtllm-serve", "m", "--tp-size", "2"}, Engine::kTensorRtLlm, kNone, kNone, kNone, 1},
      {{"trtllm-serve", "m", "--tensor_parallel", "2"},
       Engine::kTensorRtLlm,
       kNone,
       kNone,
       kNone,
       1},
      {{"trtllm-serve", "m", "--config", "/c.yaml"}, Engine::kTensorRtLlm, kNone, kNone, kNone, 1},
      {{"python3", "-m", "dynamo.trtllm", "--tp_size", "2"},
       Engine::kTensorRtLlm,
       kNone,
       kNone,
       kNone,
       1},
      {{"python3", "-m", "dynamo.trtllm", "--override-engine-args",
        "{\"tensor_parallel_size\": 2}"},
       Engine::kTensorRtLlm,
       kNone,
       kNone,
       kNone,
       1},
      {{"text-generation-launcher", "--num_shard", "2"}, Engine::kTgi, kNone, kNone, kNone, 1},
      {{"text-generation-launcher", "--num-sh", "2"}, Engine::kTgi, kNone},
      {{"lmdeploy", "serve", "api_server", "m", "--tensor-parallel-size", "2"},
       Engine::kLmdeploy,
       kNone,
       kNone,
       kNone,
       1},
      {{"python3", "-m", "huggingfaceserver", "--tensor_parallel_size=4"},
       Engine::kVllm,
       kNone,
       kNone,
       kNone,
       1},
      {sh("vllm serve m --port 8000 $EXTRA"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("vllm serve m --port $PORT"), Engine::kVllm, kNone},
      {sh("vllm serve $MODEL --port 80"), Engine::kVllm, kNone},
      {sh("TP=2; if [ -f /x ]; then TP=4; fi; vllm serve m -tp $TP"), Engine::kVllm, kNone, kNone,
       kNone, 1},
      {sh("TP=2; [ -f /x ] && TP=4; vllm serve m -tp $TP"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("A=; [ -f /x ] && A='-tp 4'; vllm serve m $A"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("A=; [ -f /x ] && A='-tp 4 -pp 2'; vllm serve m $A -dp 3"), Engine::kVllm, kNone, kNone,
       3, 1},
      {sh("A='-tp 2'; [ -f /x ] && A=`cat /x`; vllm serve m $A"), Engine::kVllm, kNone, kNone,
       kNone, 1},
      {sh("for tp in 2 4; do vllm serve m -tp $tp; done"), Engine::kVllm, kNone, kNone, kNone, 1},
      {sh("if [ -f /x ]; then vllm serve m -tp 2; else vllm serve m -tp 4; fi"), Engine::kVllm,
       kNone, kNone, kNone, 1},
      {{"mpirun", "-n", "$(RANKS)", "trtllm-serve", "m"},
       Engine::kTensorRtLlm,
       kNone,
       kNone,
       kNone,
       1},
      {{"text-generation-launcher"},
       Engine::kTgi,
       kNone,
       kNone,
       kNone,
       1,
       {{"NUM_SHARD", "", true}}},
  };
  for (const Case& c : cases) Check(c);
}

TEST_CASE("The engine's own need is its source's arithmetic") {
  struct NeedCase {
    Strings args;
    int gpus;
    std::optional<std::int64_t> limit;
    std::int64_t bytes;
    std::string words;
    std::vector<EnvVar> env = {};
  };
  const std::string kOffload = R"({"kv_connector":"OffloadingConnector",)"
                               R"("kv_connector_extra_config":{"cpu_bytes_to_use":10737418240}})";
  const Strings vllm = {"vllm", "serve", "m"};
  const auto with = [&](Strings more) {
    Strings all = vllm;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::vector<NeedCase> cases = {
      {vllm, 0, {}, 0, ""},
      {vllm, 1, {}, 0, ""},
      {vllm, 2, {}, 640 * kMiB, "vLLM 160 MiB + 240 MiB × 2 workers"},
      {vllm, 8, {}, 2080 * kMiB, "vLLM 160 MiB + 240 MiB × 8 workers"},
      {vllm,
       2,
       {},
       500 * kMiB,
       "vLLM 20 MiB + 240 MiB × 2 workers",
       {{"VLLM_MQ_MAX_CHUNK_BYTES_MB", "2"}}},
      {with({"--mm-processor-cache-type", "shm"}), 1, {}, 4 * kGiB, "vLLM 4 GiB multi-modal cache"},
      {with({"--mm-processor-cache-type=shm", "--mm-processor-cache-gb=0.5"}),
       1,
       {},
       kGiB / 2,
       "vLLM 512 MiB multi-modal cache"},
      {with({"--mm_processor_cache_type=shm", "--mm-processor-cache-gb", "0"}), 1, {}, 0, ""},
      {with({"--mm-processor-cache-type=lru"}), 1, {}, 0, ""},
      {with({"-dp", "4"}), 4, {}, 0, ""},
      {with({"-tp", "2", "-dp", "4"}),
       8,
       {},
       2560 * kMiB,
       "vLLM 160 MiB × 4 ranks + 240 MiB × 8 workers"},
      {with({"-tp", "2", "-dp", "4", "-dpl", "2", "--kv-offloading-size=1"}),
       4,
       {},
       (320 + 960 + 2048) * kMiB,
       "vLLM 160 MiB × 2 ranks + 240 MiB × 4 workers + 1 GiB KV offload × 2 ranks"},
      {with({"-dp", "4", "--nnodes", "2"}), 2, {}, 0, ""},
      {with({"--distributed-executor-backend", "mp"}),
       1,
       {},
       400 * kMiB,
       "vLLM 160 MiB + 240 MiB × 1 worker"},
      {with({"-tp", "2", "--nnodes", "2"}), 1, {}, 400 * kMiB, "vLLM 160 MiB + 240 MiB × 1 worker"},
      {with({"--distributed-executor-backend=external_launcher"}), 2, {}, 0, ""},
      {with({"--enable-shm-tensor-arena"}),
       2,
       {},
       (640 + 2048) * kMiB,
       "vLLM 160 MiB + 240 MiB × 2 workers + 2 GiB arena"},
      {with({"--kv-offloading-size", "8", "--kv-offloading-backend=lmcache"}), 1, {}, 0, ""},
      {with({"--mm-processor-cache-type=shm", "-dp", "2"}), 2, {}, 0, ""},
      {with({"--mm-processor-cache-type=shm", "-dp", "2", "-dpn", "$(RANK)"}),
       1,
       {},
       4 * kGiB,
       "vLLM 4 GiB multi-modal cache"},
      {with({"--kv-offloading-size", "8"}),
       2,
       {},
       640 * kMiB + 8 * kGiB,
       "vLLM 160 MiB + 240 MiB × 2 workers + 8 GiB KV offload"},
      {with({"--kv-transfer-config", kOffload}),
       2,
       {},
       640 * kMiB + 10 * kGiB,
       "vLLM 160 MiB + 240 MiB × 2 workers + 10 GiB KV offload"},
      {with({"--kv-offloading-size", "8", "--kv-transfer-config=" + kOffload}),
       1,
       {},
       8 * kGiB + 64 * kMiB,
       "vLLM 8 GiB KV offload + 64 MiB"},
      {{"vllm", "serve", "m", "-dp", "2", "--kv-transfer-config", kOffload},
       2,
       {},
       20 * kGiB + 64 * kMiB,
       "vLLM 10 GiB KV offload × 2 ranks + 64 MiB"},
      {with({"--kv-transfer-config", R"({"kv_connector":"NixlConnector","kv_role":"kv_both"})"}),
       1,
       {},
       0,
       ""},
      {{"sh", "-c", "vllm serve m --kv-transfer-config \"$CONFIG\""}, 1, {}, 0, ""},
      {{"sh", "-c", "N=4; if a; then N=8; else N=2; fi; vllm serve m --kv-offloading-size $N"},
       1,
       {},
       8 * kGiB + 64 * kMiB,
       "vLLM 8 GiB KV offload + 64 MiB"},
      {{"ray", "start", "--head", "--object-store-memory=1000000000"},
       2,
       {},
       1000000000,
       "Ray 1000000000 bytes object store"},
      {{"ray", "start", "--object-store-memory", "2147483648"},
       0,
       {},
       2 * kGiB,
       "Ray 2 GiB object store"},
      {{"ray", "symmetric-run", "--address", "a:6379", "--object-store-memory=1073741824", "--",
        "bash", "-c", "vllm serve m -tp 2"},
       2,
       {},
       kGiB + 640 * kMiB,
       "Ray 1 GiB object store + vLLM 160 MiB + 240 MiB × 2 workers"},
      {{"ray", "start"}, 2, 10 * kGiB, 3 * kGiB, "Ray object store 0.3 × 10 GiB memory limit"},
      {{"ray", "start"}, 2, 2000 * kGiB, 10'000'000'000, "Ray 10 GB object store"},
      {{"ray", "start"}, 2, {}, 10'000'000'000, "Ray 10 GB object store"},
      {{"ray", "start", "--object-store-memory=50000000000"},
       2,
       10 * kGiB,
       50'000'000'000,
       "Ray 50000000000 bytes object store"},
      {{"ray", "start"},
       2,
       200 * kGiB,
       10'000'000'000,
       "Ray 10 GB object store",
       {{"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES", "40000000000"}}},
      {{"ray", "start", "--plasma-directory=/tmp"}, 2, 10 * kGiB, 0, ""},
      {{"ray", "start", "--plasma-directory", "/dev/shm"},
       2,
       10 * kGiB,
       3 * kGiB,
       "Ray object store 0.3 × 10 GiB memory limit"},
      {{"ray", "start"},
       2,
       10 * kGiB,
       5 * kGiB,
       "Ray object store 0.5 × 10 GiB memory limit",
       {{"RAY_DEFAULT_OBJECT_STORE_MEMORY_PROPORTION", "0.5"}}},
      {{"ray", "start"},
       2,
       10 * kGiB,
       1'000'000'000,
       "Ray 1 GB object store",
       {{"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES", "1000000000"}}},
      {{"lmdeploy", "serve", "api_server", "m", "--backend", "pytorch"},
       2,
       {},
       4 * kGiB,
       "Ray object store of at most 4 GiB",
       {{"RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES", "4294967296"}}},
      {{"sh", "-c", "ray start --head && vllm serve m -tp 2"},
       2,
       10 * kGiB,
       3 * kGiB + 640 * kMiB,
       "Ray object store 0.3 × 10 GiB memory limit + vLLM 160 MiB + 240 MiB × 2 workers"},
      {with({"--distributed-executor-backend", "ray"}), 2, 10 * kGiB, 3 * kGiB + 640 * kMiB,
       "vLLM 160 MiB + 240 MiB × 2 workers + Ray object store 0.3 × 10 GiB memory limit"},
      {{"lmdeploy", "serve", "api_server", "m", "--distributed-executor-backend", "mp"},
       2,
       {},
       3 * 32 * (kMiB + 8),
       "LMDeploy 32 MiB × (2 workers + 1)"},
      {{"python3", "-m", "sglang.launch_server"}, 8, {}, 0, ""},
  };
  for (const NeedCase& c : cases) {
    INFO(Joined(c.args));
    const EngineFacts facts = ReadEngine(c.args, {}, c.env, c.gpus, c.limit);
    CHECK(facts.need_bytes == c.bytes);
    CHECK(facts.need_words == c.words);
    CHECK(facts.warnings.empty());
  }
}

TEST_CASE("A need that cannot be told is a warning") {
  for (const Strings& args : {Strings{"ray", "start", "--object-store-memory=lots"},
                              Strings{"ray", "start", "--object-store-memory=-1"},
                              Strings{"vllm", "serve", "--kv-offloading-size=1e300"},
                              Strings{"vllm", "serve", "--kv-transfer-config", "$(KV_OFFLOAD)"},
                              Strings{"vllm", "serve", "--kv-transfer-config={\"Offloading"},
                              Strings{"vllm", "serve", "--kv-offloading-size=nan"},
                              Strings{"vllm", "serve", "--kv-offloading-size=-1"}}) {
    INFO(Joined(args));
    const EngineFacts facts = ReadEngine(args, {}, {}, 1, std::nullopt);
    CHECK(facts.need_bytes == 0);
    CHECK(facts.warnings.size() == 1);
  }
}

TEST_CASE("A variable that cannot be used is a warning and the engine's default is taken") {
  const EngineFacts share = ReadEngine(
      {"ray", "start"}, {}, {{"RAY_DEFAULT_OBJECT_STORE_MEMORY_PROPORTION", "much"}}, 1, 10 * kGiB);
  CHECK(share.need_bytes == 3 * kGiB);
  CHECK(share.warnings.size() == 1);
  const EngineFacts store =
      ReadEngine({"lmdeploy", "serve", "api_server", "m", "--distributed-executor-backend=ray"}, {},
                 {}, 2, {});
  CHECK(store.need_bytes == 0);
  CHECK(store.warnings.size() == 1);
}

TEST_CASE("The image names the engine where its entrypoint starts it") {
  struct ImageCase {
    std::string image;
    Engine engine;
  };
  for (const ImageCase& c :
       {ImageCase{"vllm/vllm-openai:latest", Engine::kVllm},
        ImageCase{"lmsysorg/sglang:v0.5", Engine::kSglang},
        ImageCase{"nvcr.io/nvidia/tensorrt-llm/release:1.0", Engine::kTensorRtLlm},
        ImageCase{"openmmlab/lmdeploy:v0.10", Engine::kLmdeploy},
        ImageCase{"registry.example/huggingface/text-generation-inference:3.3", Engine::kTgi},
        ImageCase{"registry/my-model:1", Engine::kUnknown}, ImageCase{"", Engine::kUnknown}}) {
    INFO(c.image);
    const EngineFacts facts =
        ReadEngine({}, {"--tensor-parallel-size=2"}, {}, 2, std::nullopt, c.image);
    CHECK(EngineName(facts.engine) == EngineName(c.engine));
  }
  const EngineFacts none = ReadEngine({}, {}, {}, 2, std::nullopt, "vllm/vllm-openai");
  CHECK(none.need_bytes == 640 * kMiB);
  // A program that is named beats the image.
  CHECK(ReadEngine({"python3", "-m", "sglang.launch_server"}, {}, {}, 2, {}, "x/vllm").engine ==
        Engine::kSglang);
}

struct SpreadCase {
  Strings command;
  std::optional<int> dp;
  std::optional<int> nodes;
  bool complete = true;
  std::optional<int> cp = std::nullopt;
};

TEST_CASE("The pods that a replica spans are read from the command line") {
  const auto vllm = [](Strings more) {
    more.insert(more.begin(), {"vllm", "serve", "m", "-tp", "8"});
    return more;
  };
  const std::vector<SpreadCase> cases = {
      {vllm({}), kNone, kNone},
      {vllm({"--nnodes", "2", "--node-rank", "1"}), kNone, 2},
      {vllm({"-n", "2", "-r", "0"}), kNone, 2},
      {vllm({"-n2", "-r0"}), kNone, 2},
      {vllm({"-n=2"}), kNone, 2},
      {vllm({"--nnodes=$(NODES)"}), kNone, kNone, false},
      {vllm({"--nnodes=0"}), kNone, kNone, false},
      {vllm({"-dp", "4", "--nnodes", "4"}), 4, 4},
      {vllm({"-dp", "4", "-dpl", "2"}), 4, 2},
      {vllm({"-dp", "4", "-dpl", "4"}), 4, kNone},
      {vllm({"-dp", "4", "--data-parallel-size-local=1", "--data-parallel-start-rank", "2"}), 4, 4},
      {vllm({"-dp", "4", "-dpl", "3"}), 4, kNone, false},
      {vllm({"-dp", "$(DP)", "-dpl", "2"}), kNone, kNone, false},
      {vllm({"-dp", "4", "-dpn", "1"}), 4, 4},
      {vllm({"-dp", "4", "--data-parallel-rank=$(LWS_WORKER_INDEX)"}), 4, 4},
      {vllm({"-dpn", "1"}), kNone, kNone},
      {vllm({"-dp", "4", "--data-parallel-external-lb", "-n", "4"}), 4, 4},
      {vllm({"-dp", "4", "-dpe", "-n", "2"}), 4, 2, false},
      {vllm({"-dp", "4", "-dpb", "ray"}), 4, kNone, false},
      {vllm({"--prefill-context-parallel-size", "2"}), kNone, kNone, true, 2},
      {vllm({"-pcp=2"}), kNone, kNone, true, 2},
      {vllm({"-dcp", "2"}), kNone, kNone},
      {vllm({"--tp-size", "2"}), kNone, kNone, false},
      {vllm({"--config", "c.yaml"}), kNone, kNone},
      {{"vllm", "serve", "--config", "c.yaml", "-dp", "2"}, 2, kNone, false},
      {{"sglang", "serve", "--tp", "16", "--nnodes", "2"}, kNone, 2},
      {{"sglang", "serve", "--tp", "16", "--nnodes=2", "--node-rank=0"}, kNone, 2},
      {{"trtllm-serve", "m", "--tp_size", "16", "--gpus_per_node", "8"}, kNone, 2},
      {{"trtllm-serve", "m", "--tp_size", "4", "--gpus_per_node", "8"}, kNone, kNone},
      {{"trtllm-serve", "m", "--tp_size", "4", "--cp_size=2"}, kNone, kNone, true, 2},
      {{"mpirun", "-n", "16", "trtllm-serve", "m", "--gpus_per_node=8"}, kNone, 2},
      {{"mpirun", "-n", "16", "-H", "a:8,b,a", "trtllm-serve", "m"}, kNone, 2},
      {{"mpirun", "-n", "16", "-H", "a,b", "sh", "-c", "trtllm-serve m"}, kNone, 2},
      {{"mpirun", "-n", "16", "--hostfile", "f", "trtllm-serve", "m"}, kNone, kNone, false},
      {{"mpirun", "-n", "16", "-H", "$(HOSTS)", "trtllm-serve", "m"}, kNone, kNone, false},
      {{"python3", "-m", "dynamo.trtllm", "--tensor-parallel-size=16", "--gpus-per-node", "8"},
       kNone,
       2},
      {{"lmdeploy", "serve", "api_server", "m", "--tp", "16", "--nnodes", "2"}, kNone, 2},
      {{"sh", "-c",
        "bash /x/multi-node-serving.sh leader --ray_cluster_size=2; vllm serve m -tp 8 -pp 2"},
       kNone,
       2},
      {{"ray", "symmetric-run", "--address", "a:6379", "--min-nodes=2", "--", "vllm", "serve", "m",
        "-dp", "16"},
       16,
       2},
      {{"lmdeploy", "serve", "api_server", "m", "--tp", "8", "--dp", "2"}, kNone, kNone, false},
  };
  for (const SpreadCase& c : cases) {
    INFO(Joined(c.command));
    const EngineFacts facts = ReadEngine(c.command, {}, {}, 2, std::nullopt);
    INFO(Joined(facts.warnings));
    CHECK(facts.degrees.data_parallel == c.dp);
    CHECK(facts.nodes == c.nodes);
    CHECK(facts.complete == c.complete);
    CHECK(facts.context_parallel == c.cp);
  }
}

TEST_CASE("A head that serves without ranks of its own has no degrees") {
  const EngineFacts facts =
      ReadEngine({"vllm", "serve", "m", "-tp", "8", "-dp", "2", "-dpl", "0"}, {}, {}, 0, {});
  CHECK(facts.degrees == Degrees());
  CHECK(facts.warnings.empty());
}

TEST_CASE("A refused spelling names the flag and the engine") {
  const auto warning = [](const Strings& command) {
    const auto warnings = ReadEngine(command, {}, {}, 2, {}).warnings;
    REQUIRE(warnings.size() == 1);
    return warnings.front();
  };
  CHECK(warning({"sglang", "serve", "--tp_size=2"}) ==
        "--tp_size is no spelling that SGLang knows");
  CHECK(warning({"python3", "-m", "huggingfaceserver", "--tensor_parallel_size=2"}) ==
        "--tensor_parallel_size is no spelling that KServe's Hugging Face server knows");
  CHECK(warning({"vllm", "serve", "-tp4"}) == "-tp4 is no spelling that vLLM knows");
  CHECK(ReadEngine({"python3", "x.py", "-tp4", "$(X)"}, {}, {}, 2, {}).warnings.empty());
}

TEST_CASE("All arguments that cannot be told are one warning") {
  const Strings command = {"sh", "-c", "vllm serve m $A -tp 2 ${B} $A"};
  const EngineFacts facts = ReadEngine(command, {}, {}, 2, {});
  CHECK(facts.warnings ==
        Strings{"arguments in $A, ${B} cannot be told: they are not set to values "
                "in the pod"});
  CHECK(facts.degrees.tensor_parallel == 2);
  CHECK_FALSE(facts.complete);
}

TEST_CASE("The tables are well formed and cite a source for every row") {
  for (const EngineFlag& flag : kEngineFlags) {
    INFO(flag.name);
    CHECK(flag.name.front() == '-');
    CHECK(flag.name.substr(0, flag.shortest.size()) == flag.shortest);
    CHECK_FALSE(flag.source.empty());
    const ParserRule& rule = RuleOf(flag.parser);
    CHECK(FindFlag(rule, flag.name).flag == &flag);
    // An abbreviation leads to its flag, where the parser takes any.
    CHECK((FindFlag(rule, flag.shortest).flag == &flag) ==
          (rule.abbreviates || flag.shortest == flag.name));
  }
  for (const ParserRule& rule : kParserRules) {
    CHECK(&RuleOf(rule.parser) == &rule);
    CHECK_FALSE(rule.source.empty());
  }
  for (const EngineProgram& program : kEnginePrograms) CHECK_FALSE(program.source.empty());
  for (const EngineVariable& variable : kEngineVariables) CHECK_FALSE(variable.source.empty());
}

}  // namespace
}  // namespace shm
