// Which objects of a kind a reflector follows, and so of which its lists speak.
#pragma once

#include <string>
#include <vector>

#include "kube/resource.h"

namespace shm::kube {

// All of them; those of a namespace; or the one of a name.
struct Scope {
  std::string namespace_name{};  // empty: every namespace
  std::string name{};            // empty: every name

  bool Covers(const ObjectKey& key) const {
    return (namespace_name.empty() || namespace_name == key.namespace_name) &&
           (name.empty() || name == key.name);
  }
  // For the log: "all", or the one namespace that it is about.
  std::string ToString() const;
  friend bool operator==(const Scope&, const Scope&) = default;
};

// How to follow `type` in `namespaces` alone, a scope for each; in all of them where there are
// none. Of Namespaces each is followed by its name, which is what RBAC's resourceNames allow: the
// API server takes the name from the field selector metadata.name=NAME
// (kubernetes/apiserver pkg/endpoints/request/requestinfo.go). Other kinds that are in no namespace
// are followed whole.
std::vector<Scope> ScopesOf(const ResourceType& type, const std::vector<std::string>& namespaces);

}  // namespace shm::kube
