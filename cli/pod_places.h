// The pods and pod templates inside of a manifest.
//
// Pure; safe from any thread.
#pragma once

#include <functional>
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

// The pod at a place of `document`, with what its controller will add. An Error: one that the API
// server would refuse too; its field is the path in the document.
Result<PodView> ReadPodAt(const manifest::Json& document, const PodPlace& place);

// Why a kind has no place where a pod could be rendered: its controller builds them from other
// fields, in some version at least. Null: not known of it.
const char* NoTemplateNote(const ObjectType& type);

// Visits a document, and where it is a List its items, however deep, each with its path in the
// document ("items[1]"; empty: the document). Ends at the visitor's first Error, whose field is
// put below that path.
using ObjectVisitor = std::function<Result<void>(manifest::Json* object, const ObjectType& type,
                                                 const std::string& path)>;
Result<void> VisitObjects(manifest::Json* document, const ObjectVisitor& visit);

// "Deployment", "llm" and an object whose name is "qwen": "Deployment llm/qwen". A name that is to
// be generated goes by its beginning.
std::string ObjectName(const ObjectType& type, const std::string& name_space,
                       const manifest::Json& object);

// `field` below `path`, either of which may be empty.
std::string FieldBelow(const std::string& path, const std::string& field);

// "apps" of "apps/v1", "" of "v1".
std::string_view GroupOf(std::string_view api_version);

// A string member of an object; empty where there is none.
std::string TextAt(const manifest::Json& object, std::initializer_list<const char*> path);

}  // namespace shm::cli
