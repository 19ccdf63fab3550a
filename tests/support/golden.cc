#include "tests/support/golden.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

namespace shm::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json ReadJson(const fs::path& path, const json& otherwise) {
  return fs::exists(path) ? json::parse(ReadFile(path)) : otherwise;
}

InstallationDefaults ReadInstallation(const json& own) {
  InstallationDefaults installation;
  installation.size_per_gpu = *ParseQuantity(own.value("sizePerGPU", "1Gi"));
  installation.memory_headroom = *ParseQuantity(own.value("memoryHeadroom", "1Gi"));
  if (own.contains("maxSize")) installation.max_size = *ParseQuantity(std::string(own["maxSize"]));
  installation.memory_limit_policy =
      *ParseMemoryLimitPolicy(own.value("memoryLimitPolicy", "Warn"));
  installation.audit = own.value("audit", false);
  return installation;
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> GoldenFolders() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(SHM_SOURCE_DIR "/tests/data/golden")) {
    if (fs::exists(entry.path() / "pod.json")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  REQUIRE(folders.size() > 60);
  return folders;
}

GoldenCase ReadGolden(const fs::path& folder) {
  GoldenCase golden;
  golden.folder = folder;
  golden.pod = ReadFile(folder / "pod.json");
  golden.services = ReadJson(folder / "services.json", json::array());
  golden.claim_templates = ReadJson(folder / "claim-templates.json", nullptr);
  const json defaults = ReadJson(folder / "defaults.json", json::object());
  golden.installation = ReadInstallation(defaults.value("installation", json::object()));
  golden.namespace_annotations = defaults.value("namespace", json::object());
  golden.expected = ReadJson(folder / "expected.json", nullptr);
  for (const json& object : golden.services) {
    auto service = ParseInferenceService(object);
    INFO(object.dump());
    REQUIRE(service.ok());
    golden.parsed_services.push_back(*service);
  }
  for (const json& object : golden.claim_templates) {
    auto one = ParseClaimTemplate(object, KnownGpuClasses());
    INFO(object.dump());
    REQUIRE(one.ok());
    golden.parsed_claim_templates.push_back(*one);
  }
  return golden;
}

PodContext GoldenCase::Context() const {
  PodContext context;
  context.namespace_name = kGoldenNamespace;
  context.installation = installation;
  context.name_space = ReadNamespaceDefaults(namespace_annotations, nullptr);
  for (const auto& service : parsed_services) context.services.push_back(&service);
  if (!claim_templates.is_null()) {
    context.claim_templates.emplace();
    for (const auto& one : parsed_claim_templates) context.claim_templates->push_back(&one);
  }
  return context;
}

}  // namespace shm::test
