// YAML is typed as kubectl types it. tests/data/yaml/CASE.json is what it made of CASE.yaml, and
// what the unit tests compare with; SHM_UPDATE_GOLDEN=1 writes it anew.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

namespace fs = std::filesystem;

TEST_CASE("kubectl reads the YAML of the test data as it is written down beside it") {
  Installation::Get();  // for the CRD: a kind that takes whatever stands in its pod's spec
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(std::string(SHM_TEST_DATA) + "/yaml")) {
    if (entry.path().extension() != ".yaml") continue;
    ++seen;
    INFO(entry.path());
    const std::string text = Cluster().Must("create --dry-run=client --validate=false -o json -f " +
                                            entry.path().string());
    nlohmann::json read = nlohmann::json::parse(text);
    read["metadata"].erase("namespace");  // of the kubeconfig's context
    const fs::path golden = fs::path(entry.path()).replace_extension(".json");
    if (std::getenv("SHM_UPDATE_GOLDEN")) std::ofstream(golden) << read.dump(2) << '\n';
    std::ifstream file(golden);
    CHECK(read == nlohmann::json::parse(file));
  }
  CHECK(seen >= 4);
}

}  // namespace
}  // namespace shm::test
