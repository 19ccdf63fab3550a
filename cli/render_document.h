// What `shmctl render` does to one document.
//
// Pure; safe from any thread while nobody writes the catalog.
#pragma once

#include <string>
#include <vector>

#include "cli/pod_places.h"
#include "cli/service_catalog.h"
#include "core/mutation.h"
#include "manifest/json.h"

namespace shm::cli {

// One pod, or pod template, of a document.
struct RenderedPod {
  std::string object;  // "Deployment llm/qwen, spec.template"
  std::string path;    // "spec.template"; empty: the document is the pod
  PodDecision decision;

  // It would not be created, or could not be judged.
  bool refused() const;
};

struct Rendering {
  bool changed = false;
  std::vector<RenderedPod> pods;
  std::vector<std::string> notes;  // of the document itself
};

// Applies to every pod in the document the patch that the webhook would answer with. An Error: a
// pod that the API server would refuse too, by the path of the field in the document; the document
// is then half done, and of no use.
Result<Rendering> RenderDocument(const ServiceCatalog& catalog,
                                 const std::vector<DeclaredKind>& declared,
                                 manifest::Json* document);

}  // namespace shm::cli
