// The InferenceServices and the namespaces' defaults that manifests bring along.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/mutation.h"
#include "manifest/json.h"

namespace shm::cli {

// What the webhook would know. Not thread-safe.
class ServiceCatalog {
 public:
  // `default_namespace`: of objects that name none.
  ServiceCatalog(InstallationDefaults installation, std::string default_namespace)
      : installation_(installation), default_namespace_(std::move(default_namespace)) {}

  // Takes what a document holds: an InferenceService of ours, a Namespace, a List of them; others
  // are passed over. The same object may come twice. An Error's field is the path in the document.
  Result<void> Add(const manifest::Json& document);

  // What holds for pods of a namespace. Pointers lead into the catalog.
  PodContext ContextOf(const std::string& namespace_name) const;
  // InferenceServices that are known.
  std::size_t size() const;
  // Of an object, from its metadata.
  std::string NamespaceOf(const manifest::Json& object) const;

 private:
  Result<void> AddService(const manifest::Json& object);

  InstallationDefaults installation_;
  std::string default_namespace_;
  std::map<std::string, std::map<std::string, std::unique_ptr<InferenceService>>> services_;
  std::map<std::string, NamespaceDefaults> namespaces_;
};

// Whether an object is an InferenceService of this operator's group.
bool IsInferenceService(const manifest::Json& object);

// What the CRD would refuse although each value is well-formed: unknown fields of spec, template
// and selector both or neither, degrees that do not add up.
Result<void> CheckService(const manifest::Json& object, const InferenceService& service);

}  // namespace shm::cli
