// What manifests bring along for the pods of their namespaces: InferenceServices, the namespaces'
// defaults, ResourceClaimTemplates.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/surroundings.h"
#include "core/claim_template.h"
#include "manifest/json.h"

namespace shm::cli {

// What the webhook would know. Not thread-safe.
class ServiceCatalog {
 public:
  // `default_namespace`: of objects that name none. `gpu_classes`: the device classes whose claims
  // are counted; unset: no claim is.
  ServiceCatalog(InstallationDefaults installation, std::string default_namespace,
                 std::optional<DeviceClasses> gpu_classes = std::nullopt);

  // Takes what a document holds: an InferenceService of ours, a Namespace, a ResourceClaimTemplate,
  // a List of them; others are passed over. Of the same object the last stays. An Error's field is
  // the path in the document.
  Result<void> Add(const manifest::Json& document) { return Take(document, true); }
  // The same, but what is known already stays. The number of objects that were not known.
  Result<std::size_t> AddUnknown(const manifest::Json& document);

  // All that was taken, as a pod is judged by it.
  const Surroundings& around() const { return around_; }
  // Of an object, from its metadata.
  std::string NamespaceOf(const manifest::Json& object) const;

 private:
  // `replace`: an object that is known already.
  Result<void> Take(const manifest::Json& document, bool replace);
  Result<void> TakeService(const manifest::Json& object, bool replace);
  void TakeNamespace(const manifest::Json& object, bool replace);
  Result<void> TakeClaimTemplate(const manifest::Json& object, bool replace);
  Result<void> TakeItems(const manifest::Json& list, bool replace);

  Surroundings around_;
  std::string default_namespace_;
  std::optional<DeviceClasses> gpu_classes_;
  std::size_t known_ = 0;  // objects in around_
};

// Whether an object is an InferenceService of this operator's group.
bool IsInferenceService(const manifest::Json& object);

// What the CRD would refuse although each value is well-formed: unknown fields of spec, template
// and selector both or neither, degrees that do not add up.
Result<void> CheckService(const manifest::Json& object, const InferenceService& service);

}  // namespace shm::cli
