// What the API server itself makes of an InferenceService: the cases are in tests/data/crd.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> Cases(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(std::string(SHM_TEST_DATA) + "/crd/" + folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  REQUIRE_FALSE(paths.empty());
  return paths;
}

// `# expect: TEXT`, the first line of a case.
std::string Expectation(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const std::string prefix = "# expect: ";
  REQUIRE(line.rfind(prefix, 0) == 0);
  return line.substr(prefix.size());
}

// Kubernetes 1.30 shows a value that may be a number or a text as "". What is said of it is the
// same.
std::string AsShown(const std::string& expected) {
  if (std::getenv("SHM_CLUSTER_KUBERNETES") == nullptr) return expected;
  const std::string mark = "Invalid value: ";
  const std::size_t at = expected.find(mark);
  if (at == std::string::npos || expected.find("sharedMemory.size") > at) return expected;
  const std::size_t value = at + mark.size();
  const std::size_t end = expected.find(": ", value);
  return end == std::string::npos ? expected
                                  : expected.substr(0, value) + "\"\"" + expected.substr(end);
}

}  // namespace

TEST_CASE("the API server takes every valid InferenceService") {
  Installation::Get();
  const std::string ns = NewNamespace("crd-valid");
  for (const auto& path : Cases("valid")) {
    DYNAMIC_SECTION(path.stem().string()) {
      const ShellResult result =
          Cluster().Try("-n " + ns + " create --dry-run=server -f " + path.string());
      INFO(result.output);
      CHECK(result.exit_code == 0);
    }
  }
}

TEST_CASE("the API server refuses every invalid InferenceService and names the field") {
  Installation::Get();
  const std::string ns = NewNamespace("crd-invalid");
  for (const auto& path : Cases("invalid")) {
    DYNAMIC_SECTION(path.stem().string()) {
      const ShellResult result =
          Cluster().Try("-n " + ns + " create --dry-run=server -f " + path.string());
      INFO(result.output);
      CHECK(result.exit_code != 0);
      CHECK_THAT(result.output, Catch::Contains(AsShown(Expectation(path))));
    }
  }
}

TEST_CASE("a selector cannot be changed") {
  Installation::Get();
  const std::string ns = NewNamespace("crd-immutable");
  Cluster().Must(
      "-n " + ns + " create -f -",
      R"({"apiVersion":"shm-operator.dev/v1alpha1","kind":"InferenceService","metadata":{"name":"fixed"},
                    "spec":{"selector":{"matchLabels":{"app":"a"}}}})");
  const ShellResult result = Cluster().Try(
      "-n " + ns +
      R"( patch inferenceservices.shm-operator.dev fixed --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"b"}}}}')");
  CHECK(result.exit_code != 0);
  CHECK_THAT(result.output, Catch::Contains("spec.selector"));
}

TEST_CASE("the short name is shmisvc, and the columns say TP, GPUS and SHM") {
  Installation::Get();
  const std::string ns = NewNamespace("crd-columns");
  Cluster().Must(
      "-n " + ns + " create -f -",
      R"({"apiVersion":"shm-operator.dev/v1alpha1","kind":"InferenceService","metadata":{"name":"seen"},
                    "spec":{"tensorParallelSize":2,"selector":{"matchLabels":{"app":"a"}}}})");
  std::string output;
  const bool filled = Eventually(std::chrono::seconds(10), [&] {
    output = Cluster().Must("-n " + ns + " get shmisvc");
    return output.find("2Gi") != std::string::npos;
  });
  INFO(output);
  CHECK(filled);
  for (const char* column : {"TP", "GPUS", "SHM", "READY", "AGE"})
    CHECK_THAT(output, Catch::Contains(column));
}

}  // namespace shm::test
