// The pods and pod templates inside of a manifest.
//
// Pure; safe from any thread. Pointers lead into the document.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pod_view.h"
#include "core/result.h"
#include "manifest/json.h"

namespace shm::cli {

struct PodPlace {
  manifest::Json* pod = nullptr;  // metadata and spec
  std::string path;               // "spec.jobTemplate.spec.template"; empty: the document itself
  StringMap coming_labels;        // PodView's fields of these names
  std::optional<int> coming_nodes;
};

// A kind that the user declares: "GROUP/KIND=PATH", PATH as in cli/workload_kinds.h.
struct DeclaredKind {
  std::string group;
  std::string kind;
  std::string path;
};
Result<DeclaredKind> ParseDeclaredKind(const std::string& text);

// In the order of the kinds' table. A place that is absent, null or no object is passed over.
std::vector<PodPlace> FindPods(manifest::Json* document, const std::vector<DeclaredKind>& declared);

// "apps" of "apps/v1", "" of "v1".
std::string_view GroupOf(std::string_view api_version);

// A string member of an object; empty where there is none.
std::string TextAt(const manifest::Json& object, std::initializer_list<const char*> path);

}  // namespace shm::cli
