#include "cli/render_document.h"

#include <utility>

#include "core/json_patch.h"

namespace shm::cli {
namespace {

using manifest::Json;

Result<void> RenderPod(const ServiceCatalog& catalog, const std::string& name_space,
                       const std::string& object, const PodPlace& place, Json* document,
                       Rendering* rendering) {
  const Result<PodView> pod = ReadPodAt(*document, place);
  if (!pod.ok()) return pod.error();
  PodDecision decision = DecidePod(*pod, catalog.around().ContextOf(name_space));
  if (!decision.patch.empty()) {
    // CheckPatch has seen that it applies.
    document->at(place.pod).patch_inplace(Json::parse(RenderJsonPatch(decision.patch)));
    rendering->changed = true;
  }
  rendering->pods.push_back(
      {object + (place.path.empty() ? "" : ", " + place.path), place.path, std::move(decision)});
  return {};
}

Result<void> RenderObject(const ServiceCatalog& catalog, const std::vector<DeclaredKind>& declared,
                          const ObjectType& type, Json* object, Rendering* rendering) {
  const std::string name_space = catalog.NamespaceOf(*object);
  const std::string name = ObjectName(type, name_space, *object);
  const std::vector<PodPlace> places = FindPods(*object, declared, type);
  for (const PodPlace& place : places) {
    auto done = RenderPod(catalog, name_space, name, place, object, rendering);
    if (!done.ok()) return done;
  }
  if (const char* note = NoTemplateNote(type); note && places.empty()) {
    rendering->notes.push_back(name + ": " + note);
  }
  return {};
}

}  // namespace

bool RenderedPod::refused() const {
  return decision.outcome == Outcome::kDenied || decision.outcome == Outcome::kUnknownService ||
         decision.reason == Reason::kInternal;
}

Result<Rendering> RenderDocument(const ServiceCatalog& catalog,
                                 const std::vector<DeclaredKind>& declared, Json* document) {
  Rendering rendering;
  auto done = VisitObjects(document, [&](Json* object, const ObjectType& type, const auto&) {
    return RenderObject(catalog, declared, type, object, &rendering);
  });
  if (!done.ok()) return done.error();
  return rendering;
}

}  // namespace shm::cli
