// The pods and pod templates inside of a manifest.
//
// Pure; safe from any thread.
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
  // Of an object with metadata and spec, from the document. No C++ pointer: a place that the user
  // declares may lie inside of another, which moves when the other is patched.
  manifest::Json::json_pointer pod;
  std::string path;         // the same as "spec.jobTemplate.spec.template"; empty: the document
  StringMap coming_labels;  // PodView's fields of these names
  std::optional<int> coming_nodes;
};

struct DeclaredKind {
  std::string group;
  std::string kind;
  std::string path;
};

// A kind that the user declares: "GROUP/KIND=PATH", PATH as in cli/workload_kinds.h, GROUP without
// a version.
Result<DeclaredKind> ParseDeclaredKind(const std::string& text);

struct ObjectType {
  std::string api_version;
  std::string kind;
};
ObjectType TypeOf(const manifest::Json& object);
// Of an item of a list: items of a typed list (PodList) need not say, and then are what it is of.
ObjectType TypeOfItem(const manifest::Json& item, const ObjectType& list);

// In the order of the kinds' table. A place that is absent, null or no object is passed over.
std::vector<PodPlace> FindPods(const manifest::Json& document,
                               const std::vector<DeclaredKind>& declared, const ObjectType& type);

// "apps" of "apps/v1", "" of "v1".
std::string_view GroupOf(std::string_view api_version);

// A string member of an object; empty where there is none.
std::string TextAt(const manifest::Json& object, std::initializer_list<const char*> path);

}  // namespace shm::cli
