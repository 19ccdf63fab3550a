#include "core/nccl.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shm {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

NcclSettings Read(const std::vector<EnvVar>& env) { return ReadNcclSettings(env, nullptr); }

TEST_CASE("Every measured row agrees with the closed form") {
  std::ifstream file(SHM_TEST_DATA "/nccl-shm-h100x2.jsonl");
  REQUIRE(file.is_open());
  int rows = 0;
  int started = 0;
  int out_of_space = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    const nlohmann::json row = nlohmann::json::parse(line);
    std::vector<EnvVar> env;
    for (const auto& [name, value] : row.at("env").items()) env.push_back({name, value, false});
    const NcclSettings settings = Read(env);
    const int ranks = row.at("ranks");
    const int communicators = row.at("communicators");
    const std::int64_t predicted = PredictNcclBytes(settings, ranks, communicators);
    const std::int64_t provided = NcclProvisionBytes(settings, ranks, communicators);
    const double peak = row.at("peak_shm_mib");
    const double given = row.at("shm_size_mib");
    INFO(row.at("case").get<std::string>()
         << ": predicted " << predicted / kMiB << " MiB, peak " << peak << " MiB");
    CHECK(provided >= predicted);
    if (row.at("ok")) {
      ++started;
      CHECK(std::abs(predicted / kMiB - peak) <= 0.1);
      CHECK(predicted / kMiB <= given);
      // The peak is rounded to 0.1 MiB.
      CHECK(std::max(ranks * kGiB, provided) / kMiB >= peak - 0.05);
    } else if (row.at("error").get<std::string>().find("No space left") != std::string::npos) {
      ++out_of_space;
      CHECK(predicted / kMiB > given);
    }
  }
  CHECK(rows == 44);
  CHECK(started == 31);
  CHECK(out_of_space == 11);
}

TEST_CASE("With nothing set the provision and vLLM's need stay below 1 GiB a GPU") {
  struct Case {
    int gpus;
    std::int64_t provision;  // MiB, rounded
  };
  for (const Case& c : {Case{1, 0}, Case{2, 515}, Case{4, 1546}, Case{8, 5375}}) {
    INFO(c.gpus << " GPUs");
    const std::int64_t bytes = NcclProvisionBytes(Read({}), c.gpus, 4);
    CHECK(std::llround(bytes / kMiB) == c.provision);
    CHECK(bytes / kMiB + 160 + 240 * c.gpus <= 1024 * c.gpus);
  }
  CHECK(PredictNcclBytes(Read({}), 8, 4) == 0);
}

TEST_CASE("The provision assumes no P2P and no cuMem host buffers, whatever the env promises") {
  const NcclSettings promised = Read({{"NCCL_CUMEM_HOST_ENABLE", "1"}, {"NCCL_CUMEM_ENABLE", "1"}});
  CHECK(PredictNcclBytes(promised, 2, 1) == 0);
  CHECK(NcclProvisionBytes(promised, 2, 1) == NcclProvisionBytes(Read({}), 2, 1));

  // Without the SHM transport what is left is the NET transport and its pools.
  const NcclSettings no_shm = Read({{"NCCL_SHM_DISABLE", "1"}});
  CHECK(PredictNcclBytes(no_shm, 2, 1) == 0);
  CHECK(NcclProvisionBytes(no_shm, 2, 1) == 4 * 34'213'888);

  const NcclSettings no_cumem = Read({{"NCCL_CUMEM_ENABLE", "0"}});
  CHECK(NcclProvisionBytes(no_cumem, 2, 1) ==
        PredictNcclBytes(Read({{"NCCL_CUMEM_ENABLE", "0"}, {"NCCL_P2P_DISABLE", "1"}}), 2, 1));
}

TEST_CASE("Values of NCCL_ variables are read as NCCL reads them") {
  struct Case {
    std::vector<EnvVar> env;
    NcclSettings expected;
    int warnings;
  };
  const auto with = [](auto change) {
    NcclSettings settings;
    change(settings);
    return settings;
  };
  const std::vector<Case> cases = {
      {{{"NCCL_BUFFSIZE", "0x100000"}}, with([](auto& s) { s.buffer_size = 1 << 20; }), 0},
      {{{"NCCL_BUFFSIZE", "04000000"}}, with([](auto& s) { s.buffer_size = 1 << 20; }), 0},
      {{{"NCCL_BUFFSIZE", " +8388608"}}, with([](auto& s) { s.buffer_size = 8388608; }), 0},
      {{{"NCCL_BUFFSIZE", ""}}, {}, 0},
      {{{"NCCL_BUFFSIZE", "-2"}}, {}, 0},
      {{{"NCCL_BUFFSIZE", "-1"}}, {}, 1},
      {{{"NCCL_BUFFSIZE", "0"}}, {}, 1},
      {{{"NCCL_BUFFSIZE", "4Mi"}}, with([](auto& s) { s.buffer_size = 4; }), 1},
      {{{"NCCL_BUFFSIZE", "lots"}}, {}, 2},
      {{{"NCCL_BUFFSIZE", "99999999999999999999"}}, {}, 1},
      {{{"NCCL_BUFFSIZE", "9223372036854775807"}}, {}, 1},
      {{{"NCCL_BUFFSIZE", "", true}}, {}, 1},
      {{{"NCCL_BUFFSIZE", "1"}, {"NCCL_BUFFSIZE", "2"}},
       with([](auto& s) { s.buffer_size = 2; }),
       0},
      {{{"SIZE", "65536"}, {"NCCL_BUFFSIZE", "$(SIZE)"}},
       with([](auto& s) { s.buffer_size = 65536; }),
       0},
      {{{"SIZE", "", true}, {"NCCL_BUFFSIZE", "$(SIZE)"}}, {}, 1},
      {{{"NCCL_LL_BUFFSIZE", "4096"}, {"NCCL_LL128_BUFFSIZE", "8192"}},
       with([](auto& s) {
         s.ll_buffer_size = 4096;
         s.ll128_buffer_size = 8192;
       }),
       0},
      {{{"NCCL_MIN_NCHANNELS", "010"}}, with([](auto& s) { s.min_channels = 8; }), 0},
      {{{"NCCL_MIN_NCHANNELS", "-9223372036854775808"}}, {}, 1},
      {{{"NCCL_MIN_NCHANNELS", "4294967297"}}, with([](auto& s) { s.min_channels = 1; }), 1},
      {{{"NCCL_MIN_NCHANNELS", "1000"}}, with([](auto& s) { s.min_channels = 64; }), 0},
      {{{"NCCL_MIN_NRINGS", "8"}}, with([](auto& s) { s.min_channels = 8; }), 0},
      {{{"NCCL_MIN_NRINGS", "8"}, {"NCCL_MIN_NCHANNELS", "6"}},
       with([](auto& s) { s.min_channels = 6; }),
       0},
      {{{"NCCL_MIN_CTAS", "12"}}, with([](auto& s) { s.min_channels = 12; }), 0},
      {{{"NCCL_MAX_NCHANNELS", "0"}}, with([](auto& s) { s.max_channels = 1; }), 0},
      {{{"NCCL_MAX_CTAS", "3"}}, with([](auto& s) { s.max_channels = 3; }), 0},
      {{{"NCCL_MAX_P2P_NCHANNELS", "-5"}}, with([](auto& s) { s.max_p2p_channels = 1; }), 0},
      {{{"NCCL_MIN_P2P_NCHANNELS", "32"}}, {}, 0},
      {{{"NCCL_P2P_DISABLE", "1"}}, with([](auto& s) { s.p2p = false; }), 0},
      {{{"NCCL_P2P_DISABLE", "2"}}, {}, 0},
      {{{"NCCL_P2P_DISABLE", "true"}}, {}, 1},
      {{{"NCCL_P2P_DISABLE", "0"}, {"NCCL_P2P_LEVEL", "LOC"}},
       with([](auto& s) { s.p2p = false; }),
       0},
      {{{"NCCL_P2P_LEVEL", "0"}}, with([](auto& s) { s.p2p = false; }), 0},
      {{{"NCCL_P2P_LEVEL", "SYS"}}, {}, 0},
      {{{"NCCL_SHM_DISABLE", "1"}}, with([](auto& s) { s.shm = false; }), 0},
      {{{"NCCL_SHM_DISABLE", "2"}}, {}, 0},
      {{{"NCCL_CUMEM_ENABLE", "0"}}, with([](auto& s) { s.cumem = false; }), 0},
      {{{"NCCL_CUMEM_ENABLE", "-1"}}, with([](auto& s) { s.cumem = false; }), 0},
      {{{"NCCL_CUMEM_ENABLE", "-2"}}, {}, 0},
      {{{"NCCL_CUMEM_ENABLE", "true"}}, with([](auto& s) { s.cumem = false; }), 1},
      {{{"NCCL_CUMEM_HOST_ENABLE", "0"}}, with([](auto& s) { s.cumem_host = false; }), 0},
      {{{"NCCL_CUMEM_HOST_ENABLE", "-1"}}, {}, 0},
      {{{"NCCL_CUMEM_HOST_ENABLE", "", true}}, {}, 1},
      {{{"nccl_shm_disable", "1"}, {"NCCL_DEBUG", "INFO"}}, {}, 0},
  };
  for (const Case& c : cases) {
    INFO(c.env.back().name << "=" << c.env.back().value);
    std::vector<std::string> warnings;
    CHECK(ReadNcclSettings(c.env, &warnings) == c.expected);
    CHECK(warnings.size() == static_cast<std::size_t>(c.warnings));
    for (const std::string& warning : warnings) CHECK(warning.rfind("NCCL_", 0) == 0);
  }
}

TEST_CASE("Hostile numbers saturate instead of overflowing") {
  NcclSettings settings = Read({{"NCCL_BUFFSIZE", "2147483647"},
                                {"NCCL_LL_BUFFSIZE", "2147483647"},
                                {"NCCL_LL128_BUFFSIZE", "2147483647"},
                                {"NCCL_MIN_NCHANNELS", "2147483647"},
                                {"NCCL_CUMEM_ENABLE", "0"}});
  constexpr int kHuge = std::numeric_limits<int>::max();
  constexpr int kTiny = std::numeric_limits<int>::min();
  CHECK(NcclProvisionBytes(settings, kHuge, kHuge) == std::numeric_limits<std::int64_t>::max());
  CHECK(NcclProvisionBytes(settings, kHuge, 1) == NcclProvisionBytes(settings, 1024, 1));
  CHECK(NcclProvisionBytes(settings, kTiny, kTiny) == 0);
  CHECK(NcclProvisionBytes(settings, 2, kTiny) == NcclProvisionBytes(settings, 2, 1));
  settings.buffer_size = std::numeric_limits<std::int64_t>::max();
  CHECK(NcclProvisionBytes(settings, 2, 1) > 0);
}

}  // namespace
}  // namespace shm
