#include "cli/surroundings.h"

#include <map>
#include <nlohmann/json.hpp>

#include "core/names.h"
#include "core/string_map.h"

namespace shm::cli {
namespace {

using Json = nlohmann::json;

// Labels or annotations of ours; nobody else's are looked at.
StringMap OursOf(const Json& object, const char* map) {
  StringMap ours;
  const auto metadata = object.is_object() ? object.find("metadata") : object.end();
  if (metadata == object.end() || !metadata->is_object()) return ours;
  const auto entries = metadata->find(map);
  if (entries == metadata->end() || !entries->is_object()) return ours;
  for (const auto& [key, value] : entries->items()) {
    if (key.starts_with(names::kPrefix) && value.is_string()) ours[key] = value;
  }
  return ours;
}

template <typename T>
std::vector<const T*> PointersTo(const std::map<std::string, std::vector<T>>& by_namespace,
                                 const std::string& namespace_name) {
  std::vector<const T*> pointers;
  const auto own = by_namespace.find(namespace_name);
  if (own == by_namespace.end()) return pointers;
  for (const T& one : own->second) pointers.push_back(&one);
  return pointers;
}

}  // namespace

NamespaceFacts ReadNamespaceFacts(const Json& name_space) {
  NamespaceFacts facts;
  const auto labels = OursOf(name_space, "labels");
  const auto label = labels.find(names::kNamespaceLabel);
  facts.enabled = label != labels.end() && label->second == names::kNamespaceEnabled;
  facts.defaults = ReadNamespaceDefaults(OursOf(name_space, "annotations"), &facts.warnings);
  return facts;
}

PodContext Surroundings::ContextOf(const std::string& namespace_name) const {
  PodContext context;
  context.namespace_name = namespace_name;
  context.installation = installation;
  context.services = PointersTo(services, namespace_name);
  if (const auto facts = namespaces.find(namespace_name); facts != namespaces.end()) {
    context.name_space = facts->second.defaults;
  }
  if (claim_templates) context.claim_templates = PointersTo(*claim_templates, namespace_name);
  return context;
}

std::optional<bool> Surroundings::IsEnabled(const std::string& namespace_name) const {
  const auto facts = namespaces.find(namespace_name);
  if (facts == namespaces.end()) return std::nullopt;
  return facts->second.enabled;
}

}  // namespace shm::cli
