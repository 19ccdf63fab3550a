// What the engines take from /dev/shm themselves.
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine.h"
#include "tests/unit/core/engine_words.h"

namespace shm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

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

}  // namespace
}  // namespace shm
