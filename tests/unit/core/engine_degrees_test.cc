// Over how many pods an engine's command spreads its degrees.
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine.h"
#include "tests/unit/core/engine_words.h"

namespace shm {
namespace {

constexpr std::optional<int> kNone = std::nullopt;

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

}  // namespace
}  // namespace shm
