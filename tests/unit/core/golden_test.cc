// Golden cases of the pod mutation: one folder each in tests/data/golden, with
//   pod.json        the pod as it is created, or {"metadata", "spec"} of a template
//   services.json   the InferenceServices of its namespace, a list (optional)
//   claim-templates.json   its ResourceClaimTemplates, a list (optional; without it none is
//   counted) defaults.json   {"installation": {...}, "namespace": {annotations}} (optional)
//   expected.json   {"outcome", "reason", "patch", "warnings"}
// SHM_UPDATE_GOLDEN=1 writes expected.json anew; read the difference before it is committed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/mutation.h"

namespace shm {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json ReadJson(const fs::path& path, const json& otherwise) {
  return fs::exists(path) ? json::parse(ReadFile(path)) : otherwise;
}

std::vector<fs::path> Cases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(std::string(SHM_TEST_DATA) + "/golden")) {
    if (fs::exists(entry.path() / "pod.json")) cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::vector<InferenceService> ReadServices(const fs::path& folder) {
  std::vector<InferenceService> services;
  for (const json& object : ReadJson(folder / "services.json", json::array())) {
    auto service = ParseInferenceService(object);
    INFO(object.dump());
    REQUIRE(service.ok());
    services.push_back(*service);
  }
  return services;
}

// Their addresses are kept by the context.
std::vector<ClaimTemplate> ReadClaimTemplates(const fs::path& folder) {
  std::vector<ClaimTemplate> templates;
  for (const json& object : ReadJson(folder / "claim-templates.json", json::array())) {
    auto read = ParseClaimTemplate(object, KnownGpuClasses());
    INFO(object.dump());
    REQUIRE(read.ok());
    templates.push_back(*read);
  }
  return templates;
}

PodContext ReadContext(const fs::path& folder, const std::vector<InferenceService>& services,
                       const std::vector<ClaimTemplate>& templates) {
  const json defaults = ReadJson(folder / "defaults.json", json::object());
  const json own = defaults.value("installation", json::object());
  PodContext context;
  context.namespace_name = "llm";
  for (const auto& service : services) context.services.push_back(&service);
  if (fs::exists(folder / "claim-templates.json")) {
    context.claim_templates.emplace();
    for (const auto& one : templates) context.claim_templates->push_back(&one);
  }
  InstallationDefaults& installation = context.installation;
  installation.size_per_gpu = *ParseQuantity(own.value("sizePerGPU", "1Gi"));
  installation.memory_headroom = *ParseQuantity(own.value("memoryHeadroom", "1Gi"));
  if (own.contains("maxSize")) installation.max_size = *ParseQuantity(std::string(own["maxSize"]));
  installation.memory_limit_policy =
      *ParseMemoryLimitPolicy(own.value("memoryLimitPolicy", "Warn"));
  installation.audit = own.value("audit", false);
  context.name_space = ReadNamespaceDefaults(defaults.value("namespace", json::object()), nullptr);
  return context;
}

json Describe(const PodDecision& decision) {
  json described = {{"outcome", OutcomeName(decision.outcome)},
                    {"reason", ReasonName(decision.reason)},
                    {"patch", json::parse(RenderJsonPatch(decision.patch))},
                    {"warnings", decision.Warnings()}};
  if (!decision.message.empty()) described["message"] = decision.message;
  return described;
}

}  // namespace

TEST_CASE("golden pods get the patch and the warnings that are written down") {
  const bool update = std::getenv("SHM_UPDATE_GOLDEN") != nullptr;
  REQUIRE(Cases().size() > 20);
  for (const fs::path& folder : Cases()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const std::string text = ReadFile(folder / "pod.json");
      const auto services = ReadServices(folder);
      const auto templates = ReadClaimTemplates(folder);
      const PodContext context = ReadContext(folder, services, templates);
      const auto pod = ReadPod(text);
      INFO((pod.ok() ? "" : pod.error().ToString()));
      REQUIRE(pod.ok());
      const json actual = Describe(DecidePod(*pod, context));
      const fs::path expected = folder / "expected.json";
      if (update) std::ofstream(expected) << actual.dump(2) << '\n';
      INFO(actual.dump(2));
      CHECK(actual == ReadJson(expected, json()));
    }
  }
}

TEST_CASE("A4, A7: golden pods keep what is not ours, and a second pass over them is empty") {
  for (const fs::path& folder : Cases()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const json document = json::parse(ReadFile(folder / "pod.json"));
      const auto services = ReadServices(folder);
      const auto templates = ReadClaimTemplates(folder);
      const PodContext context = ReadContext(folder, services, templates);
      const auto pod = ReadPodDocument(document);
      REQUIRE(pod.ok());
      const PodDecision first = DecidePod(*pod, context);
      const json patched = document.patch(json::parse(RenderJsonPatch(first.patch)));
      const auto again = ReadPodDocument(patched);
      REQUIRE(again.ok());
      const PodDecision second = DecidePod(*again, context);
      CHECK(RenderJsonPatch(second.patch) == "[]");
      CHECK(second.size == first.size);
      CHECK(second.gpus == first.gpus);
    }
  }
}

TEST_CASE("golden pods read from text and from a document give the same view") {
  for (const fs::path& folder : Cases()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const std::string text = ReadFile(folder / "pod.json");
      CHECK(*ReadPod(text) == *ReadPodDocument(json::parse(text)));
    }
  }
}

}  // namespace shm
