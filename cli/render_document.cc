#include "cli/render_document.h"

#include <utility>

#include "cli/pod_numbers.h"
#include "core/json_patch.h"
#include "core/names.h"

namespace shm::cli {
namespace {

using manifest::Json;

std::string NameOf(const Json& document, const ObjectType& type, const std::string& name_space) {
  std::string name = TextAt(document, {"metadata", "name"});
  if (name.empty()) name = TextAt(document, {"metadata", "generateName"});
  return type.kind + " " + name_space + "/" + name;
}

Error Below(const std::string& path, const Error& error) {
  if (path.empty()) return error;
  return {path + (error.field.empty() ? "" : ".") + error.field, error.message};
}

// The kinds whose controllers build pods from other fields, in some version at least: without a
// pod template nothing here could be rendered.
const char* NoTemplateNote(const ObjectType& type) {
  struct Kind {
    std::string_view group, kind;
  };
  static constexpr Kind kKinds[] = {{"serving.kserve.io", "InferenceService"},
                                    {"serving.kserve.io", "LLMInferenceService"},
                                    {"serving.kserve.io", "ServingRuntime"},
                                    {"serving.kserve.io", "ClusterServingRuntime"},
                                    {"apps.nvidia.com", "NIMService"},
                                    {"production-stack.vllm.ai", "VLLMRuntime"},
                                    {"kubeai.org", "Model"},
                                    {"ome.io", "InferenceService"},
                                    {"ome.io", "ServingRuntime"},
                                    {"ome.io", "ClusterServingRuntime"},
                                    {"nvidia.com", "DynamoGraphDeployment"},
                                    {"nvidia.com", "DynamoComponentDeployment"},
                                    {"grove.io", "PodCliqueSet"}};
  for (const Kind& known : kKinds) {
    if (known.group == GroupOf(type.api_version) && known.kind == type.kind) {
      return "its controller builds the pods from other fields: they are sized by the webhook";
    }
  }
  return nullptr;
}

Result<void> RenderPod(const ServiceCatalog& catalog, const std::string& name_space,
                       const std::string& object, const PodPlace& place, Json* document,
                       Rendering* rendering) {
  Json& at_place = document->at(place.pod);
  // A PodView is read from the JSON that the API server would get: members in their order do not
  // matter to it.
  Result<PodView> pod = ReadPodDocument(nlohmann::json(at_place));
  if (!pod.ok()) return Below(place.path, pod.error());
  if (auto checked = CheckPodNumbers(*pod); !checked.ok()) {
    return Below(place.path, checked.error());
  }
  pod->coming_labels = place.coming_labels;
  pod->coming_nodes = place.coming_nodes;
  PodDecision decision = DecidePod(*pod, catalog.ContextOf(name_space));
  if (!decision.patch.empty()) {
    // CheckPatch has seen that it applies.
    at_place.patch_inplace(Json::parse(RenderJsonPatch(decision.patch)));
    rendering->changed = true;
  }
  rendering->pods.push_back(
      {object + (place.path.empty() ? "" : ", " + place.path), place.path, std::move(decision)});
  return {};
}

Result<void> RenderInto(const ServiceCatalog& catalog, const std::vector<DeclaredKind>& declared,
                        const ObjectType& type, Json* document, Rendering* rendering) {
  const std::string name_space = catalog.NamespaceOf(*document);
  const std::string object = NameOf(*document, type, name_space);
  const std::vector<PodPlace> places = FindPods(*document, declared, type);
  for (const PodPlace& place : places) {
    auto done = RenderPod(catalog, name_space, object, place, document, rendering);
    if (!done.ok()) return done;
  }
  if (const char* note = NoTemplateNote(type); note && places.empty()) {
    rendering->notes.push_back(object + ": " + note);
  }
  if (!type.kind.ends_with("List") || !document->contains("items")) return {};
  Json& items = (*document)["items"];
  for (std::size_t i = 0; items.is_array() && i < items.size(); ++i) {
    auto done = RenderInto(catalog, declared, TypeOfItem(items[i], type), &items[i], rendering);
    if (!done.ok()) return Below("items[" + std::to_string(i) + "]", done.error());
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
  auto done = RenderInto(catalog, declared, TypeOf(*document), document, &rendering);
  if (!done.ok()) return done.error();
  return rendering;
}

}  // namespace shm::cli
