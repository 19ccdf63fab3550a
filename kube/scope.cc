#include "kube/scope.h"

namespace shm::kube {

std::string Scope::ToString() const {
  if (namespace_name.empty()) return name.empty() ? "all" : name;
  return name.empty() ? namespace_name : namespace_name + "/" + name;
}

std::vector<Scope> ScopesOf(const ResourceType& type, const std::vector<std::string>& namespaces) {
  const bool by_name = type == Namespaces();
  if (namespaces.empty() || (!type.namespaced && !by_name)) return {Scope{}};
  std::vector<Scope> scopes;
  scopes.reserve(namespaces.size());
  for (const std::string& name : namespaces) {
    scopes.push_back(by_name ? Scope{"", name} : Scope{name, ""});
  }
  return scopes;
}

}  // namespace shm::kube
