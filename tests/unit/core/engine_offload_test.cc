#include "core/engine_offload.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace shm {
namespace {

std::string Connector(const std::string& name, const std::string& extra) {
  return R"({"kv_connector":")" + name + R"(","kv_role":"kv_both","kv_connector_extra_config":)" +
         extra + "}";
}

std::string Offloading(const std::string& extra) { return Connector("OffloadingConnector", extra); }

std::string Multi(const std::string& connectors) {
  return Connector("MultiConnector", R"({"connectors":[)" + connectors + "]}");
}

TEST_CASE("The region that a transfer config asks for is read out of its JSON") {
  const std::string ten = Offloading(R"({"cpu_bytes_to_use":10})");
  const std::string nixl = Connector("NixlConnector", R"({"cpu_bytes_to_use":7})");
  struct Case {
    std::string text;
    std::int64_t bytes;
    bool unclear = false;
  };
  const std::vector<Case> cases = {
      {ten, 10},
      {Offloading(R"({"cpu_bytes_to_use":"10"})"), 10},
      {Offloading(R"({"cpu_bytes_to_use":1.5e3})"), 1500},
      {Offloading(R"({"cpu_bytes_to_use":8,"spec_name":"CPUOffloadingSpec"})"), 8},
      {Offloading(R"({"cpu_bytes_to_use":8,"spec_name":"TieringOffloadingSpec"})"), 8},
      {Offloading(R"({"cpu_bytes_to_use":8,"spec_name":"SharedStorageOffloadingSpec"})"), 0},
      {Multi(nixl + "," + ten), 10},
      {Multi(ten + "," + Multi(ten)), 20},
      {nixl, 0},
      {Connector("LMCacheConnectorV1", "{}"), 0},
      {"{}", 0},
      {"[]", 0},
      {"", 0},
      {"$CONFIG", 0},
      {R"({"kv_connector":1,"kv_connector_extra_config":[1]})", 0},
      {R"({"kv_connector":"MultiConnector","kv_connector_extra_config":{"connectors":1}})", 0},
      {Offloading("{}"), 0, true},
      {Offloading("[]"), 0, true},
      {Offloading(R"({"cpu_bytes_to_use":-1})"), 0, true},
      {Offloading(R"({"cpu_bytes_to_use":true})"), 0, true},
      {Offloading(R"({"cpu_bytes_to_use":1e300})"), 0, true},
      {Offloading(R"({"cpu_bytes_to_use":18446744073709551615})"), 0, true},
      {Offloading(R"({"cpu_bytes_to_use":1125899906842624})"), std::int64_t{1} << 50},
      {Offloading(R"({"cpu_bytes_to_use":1125899906842625})"), 0, true},
      {R"({"kv_connector":"OffloadingConnector")", 0, true},
      {"${KV_OFFLOAD}", 0, true},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const OffloadConfig config = ReadOffloadConfig(c.text);
    CHECK(config.bytes == c.bytes);
    CHECK(config.unclear == c.unclear);
  }
}

TEST_CASE("A transfer config that nests without an end is read up to a depth") {
  std::string nested = Offloading(R"({"cpu_bytes_to_use":10})");
  for (int i = 0; i < 200; ++i) nested = Multi(nested);
  CHECK(ReadOffloadConfig(nested).bytes == 0);
  CHECK(ReadOffloadConfig(std::string(200'000, '[')).bytes == 0);
}

TEST_CASE("A transfer config of more than 16 KiB is not read, and unclear where it may matter") {
  const std::string ten = Offloading(R"({"cpu_bytes_to_use":10})");
  CHECK(ReadOffloadConfig(ten + std::string(16'000, ' ')).bytes == 10);
  const OffloadConfig config = ReadOffloadConfig(ten + std::string(17'000, ' '));
  CHECK(config.bytes == 0);
  CHECK(config.unclear);
  CHECK_FALSE(ReadOffloadConfig(std::string(17'000, '[')).unclear);
}

}  // namespace
}  // namespace shm
