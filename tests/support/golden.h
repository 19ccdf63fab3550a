// Golden cases of the pod mutation: one folder each in tests/data/golden, with
//   pod.json              the pod as it is created, or {"metadata", "spec"} of a template
//   services.json         the InferenceServices of its namespace, a list (optional)
//   claim-templates.json  its ResourceClaimTemplates, a list (optional; without it none is counted)
//   defaults.json         {"installation": {...}, "namespace": {annotations}} (optional)
//   expected.json         {"outcome", "reason", "patch", "warnings", "message"}
// The engine, the webhook's handler and the command line run the same cases.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/claim_template.h"
#include "core/mutation.h"

namespace shm::test {

inline constexpr char kGoldenNamespace[] = "llm";

struct GoldenCase {
  std::filesystem::path folder;
  std::string pod;  // JSON text
  nlohmann::json services = nlohmann::json::array();
  nlohmann::json claim_templates;  // null: none is counted
  nlohmann::json namespace_annotations = nlohmann::json::object();
  InstallationDefaults installation;
  nlohmann::json expected;  // null before it is written

  // What was parsed of the above; the context points into it.
  std::vector<InferenceService> parsed_services;
  std::vector<ClaimTemplate> parsed_claim_templates;
  PodContext Context() const;
};

// By name, in order; ends the test where one cannot be read.
std::vector<std::filesystem::path> GoldenFolders();
GoldenCase ReadGolden(const std::filesystem::path& folder);

std::string ReadFile(const std::filesystem::path& path);

}  // namespace shm::test
