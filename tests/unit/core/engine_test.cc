#include "core/engine.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/core/engine_words.h"

namespace shm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

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

TEST_CASE("What a pod can have multiplied is kept once, and short") {
  const Strings command = {"mpirun", "-x", "NCCL_A=1", "sh", "-c", "a;b;c"};
  const std::vector<EnvVar> env = {{"NCCL_B", std::string(10'000, '1')}};
  const EngineFacts facts = ReadEngine(command, {}, env, 2, {});
  REQUIRE(facts.nccl_env.size() == 2);
  CHECK(facts.nccl_env[0].value == std::string(256, '1'));
  CHECK(facts.nccl_env[1] == EnvVar{"NCCL_A", "1", false});

  std::string script;
  for (int i = 0; i < 33; ++i) script += "vllm serve m;";
  CHECK_THAT(ReadEngine({"sh", "-c", script}, {}, {}, 2, {}).warnings,
             Catch::VectorContains(std::string("the container starts more than 32 engines: the "
                                               "others are not looked at")));
}

}  // namespace
}  // namespace shm
