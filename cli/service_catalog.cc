#include "cli/service_catalog.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cli/pod_places.h"
#include "core/names.h"

namespace shm::cli {
namespace {

using manifest::Json;

// As crds/ has them; a test compares.
constexpr std::array<std::string_view, 14> kSpecFields = {
    "tensorParallelSize", "pipelineParallelSize",
    "dataParallelSize",   "nodeCount",
    "gpuCount",           "gpuResourceName",
    "containerName",      "replicas",
    "strategy",           "port",
    "template",           "selector",
    "sharedMemory",       "repair"};
constexpr std::array<std::string_view, 6> kSharedMemoryFields = {
    "mode", "size", "sizePerGPU", "communicators", "mountScope", "memoryLimitPolicy"};

template <std::size_t N>
Result<void> CheckFields(const Json& object, const std::string& path,
                         const std::array<std::string_view, N>& known) {
  if (!object.is_object()) return {};
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Error{path + "." + name, "is no field of an InferenceService"};
  }
  return {};
}

const Json& MemberOf(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto member = object.find(name);
  return member == object.end() ? kNone : *member;
}

StringMap StringsOf(const Json& object) {
  StringMap strings;
  if (!object.is_object()) return strings;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) strings[name] = value.get<std::string>();
  }
  return strings;
}

}  // namespace

bool IsInferenceService(const Json& object) {
  return TextAt(object, {"kind"}) == names::kKind &&
         GroupOf(TextAt(object, {"apiVersion"})) == names::kGroup;
}

Result<void> CheckService(const Json& object, const InferenceService& service) {
  const Json& spec = MemberOf(object, "spec");
  if (auto known = CheckFields(spec, "spec", kSpecFields); !known.ok()) return known;
  if (auto known =
          CheckFields(MemberOf(spec, "sharedMemory"), "spec.sharedMemory", kSharedMemoryFields);
      !known.ok()) {
    return known;
  }
  if (service.has_template == service.selector.has_value()) {
    return Error{"spec", "must have exactly one of template and selector"};
  }
  if (service.has_template && service.node_count.value_or(1) != 1) {
    return Error{"spec.nodeCount", "must be 1 with a template"};
  }
  const auto gpus = GpusPerPod(service);
  return gpus.ok() ? Result<void>() : Result<void>(gpus.error());
}

std::string ServiceCatalog::NamespaceOf(const Json& object) const {
  std::string name = TextAt(object, {"metadata", "namespace"});
  return name.empty() ? default_namespace_ : name;
}

Result<void> ServiceCatalog::AddService(const Json& object) {
  Result<InferenceService> service = ParseInferenceService(nlohmann::json(object));
  if (!service.ok()) return service.error();
  if (auto valid = CheckService(object, *service); !valid.ok()) return valid;
  const std::string name_space = NamespaceOf(object);
  service->namespace_name = name_space;
  const std::string name = service->name;
  services_[name_space][name] = std::make_unique<InferenceService>(std::move(*service));
  return {};
}

Result<void> ServiceCatalog::Add(const Json& document) {
  if (IsInferenceService(document)) return AddService(document);
  const std::string kind = TextAt(document, {"kind"});
  if (kind == "Namespace" && TextAt(document, {"apiVersion"}) == "v1") {
    const auto annotations = StringsOf(MemberOf(MemberOf(document, "metadata"), "annotations"));
    namespaces_[TextAt(document, {"metadata", "name"})] =
        ReadNamespaceDefaults(annotations, nullptr);
    return {};
  }
  const Json& items = MemberOf(document, "items");
  if (!kind.ends_with("List") || !items.is_array()) return {};
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (auto added = Add(items[i]); !added.ok()) {
      const Error& error = added.error();
      return Error{
          "items[" + std::to_string(i) + "]" + (error.field.empty() ? "" : ".") + error.field,
          error.message};
    }
  }
  return {};
}

std::size_t ServiceCatalog::size() const {
  std::size_t size = 0;
  for (const auto& entry : services_) size += entry.second.size();
  return size;
}

PodContext ServiceCatalog::ContextOf(const std::string& namespace_name) const {
  PodContext context;
  context.namespace_name = namespace_name;
  context.installation = installation_;
  if (const auto services = services_.find(namespace_name); services != services_.end()) {
    for (const auto& entry : services->second) context.services.push_back(entry.second.get());
  }
  if (const auto defaults = namespaces_.find(namespace_name); defaults != namespaces_.end()) {
    context.name_space = defaults->second;
  }
  return context;
}

}  // namespace shm::cli
