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

// Puts one of a name into those of its namespace; one that is known stays unless `replace`. Whether
// it was not known.
template <typename T>
bool Put(std::vector<T>* those, T one, bool replace) {
  const auto known = std::find_if(those->begin(), those->end(),
                                  [&one](const T& other) { return other.name == one.name; });
  if (known == those->end()) {
    those->push_back(std::move(one));
    return true;
  }
  if (replace) *known = std::move(one);
  return false;
}

// The CRD's bounds of what core does not read.
Result<void> CheckNumber(const Json& spec, const char* name, std::int64_t least,
                         std::int64_t most) {
  const Json& value = MemberOf(spec, name);
  if (value.is_null()) return {};
  const bool good = value.is_number_integer() && value >= least && value <= most;
  if (good) return {};
  return Error{std::string("spec.") + name,
               value.dump().substr(0, 64) + " is no whole number from " + std::to_string(least) +
                   " to " + std::to_string(most)};
}

bool IsDnsLabel(const std::string& name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         name.find_first_not_of(kLetters) == std::string::npos;
}

Result<void> CheckNameAndNumbers(const Json& object, const Json& spec, const std::string& name) {
  // Where it is said at all: what stands in a List of a cluster has it.
  const std::string version = TextAt(object, {"apiVersion"});
  if (!version.empty() && version != names::kApiVersion) {
    return Error{"apiVersion", "\"" + version + "\" is not " + names::kApiVersion};
  }
  if (!IsDnsLabel(name)) {
    return Error{"metadata.name", "\"" + name.substr(0, 80) + "\" is no DNS label of at most 63"};
  }
  if (auto good = CheckNumber(spec, "port", 1, 65535); !good.ok()) return good;
  return CheckNumber(spec, "replicas", 0, 10000);
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
  if (auto good = CheckNameAndNumbers(object, spec, service.name); !good.ok()) return good;
  if (service.has_template == service.selector.has_value()) {
    return Error{"spec", "must have exactly one of template and selector"};
  }
  if (service.has_template && service.node_count.value_or(1) != 1) {
    return Error{"spec.nodeCount", "must be 1 with a template"};
  }
  const auto gpus = GpusPerPod(service);
  return gpus.ok() ? Result<void>() : Result<void>(gpus.error());
}

ServiceCatalog::ServiceCatalog(InstallationDefaults installation, std::string default_namespace,
                               std::optional<DeviceClasses> gpu_classes)
    : default_namespace_(std::move(default_namespace)), gpu_classes_(std::move(gpu_classes)) {
  around_.installation = installation;
  if (gpu_classes_) around_.claim_templates.emplace();
}

std::string ServiceCatalog::NamespaceOf(const Json& object) const {
  std::string name = TextAt(object, {"metadata", "namespace"});
  return name.empty() ? default_namespace_ : name;
}

Result<void> ServiceCatalog::TakeService(const Json& object, bool replace) {
  Result<InferenceService> service = ParseInferenceService(nlohmann::json(object));
  if (!service.ok()) return service.error();
  if (auto valid = CheckService(object, *service); !valid.ok()) return valid;
  service->namespace_name = NamespaceOf(object);
  std::vector<InferenceService>& those = around_.services[service->namespace_name];
  known_ += Put(&those, std::move(*service), replace) ? 1 : 0;
  return {};
}

void ServiceCatalog::TakeNamespace(const Json& object, bool replace) {
  const auto [known, added] = around_.namespaces.try_emplace(TextAt(object, {"metadata", "name"}));
  known_ += added ? 1 : 0;
  if (added || replace) known->second = ReadNamespaceFacts(nlohmann::json(object));
}

Result<void> ServiceCatalog::TakeClaimTemplate(const Json& object, bool replace) {
  Result<ClaimTemplate> one = ParseClaimTemplate(nlohmann::json(object), *gpu_classes_);
  if (!one.ok()) return one.error();
  std::vector<ClaimTemplate>& those = (*around_.claim_templates)[NamespaceOf(object)];
  known_ += Put(&those, std::move(*one), replace) ? 1 : 0;
  return {};
}

Result<void> ServiceCatalog::TakeItems(const Json& list, bool replace) {
  const Json& items = MemberOf(list, "items");
  for (std::size_t i = 0; items.is_array() && i < items.size(); ++i) {
    const auto taken = Take(items[i], replace);
    if (taken.ok()) continue;
    const Error& error = taken.error();
    const std::string place = "items[" + std::to_string(i) + "]";
    return Error{place + (error.field.empty() ? "" : ".") + error.field, error.message};
  }
  return {};
}

Result<void> ServiceCatalog::Take(const Json& document, bool replace) {
  if (IsInferenceService(document)) return TakeService(document, replace);
  const std::string kind = TextAt(document, {"kind"});
  const std::string api_version = TextAt(document, {"apiVersion"});
  if (kind == "Namespace" && api_version == "v1") {
    TakeNamespace(document, replace);
    return {};
  }
  if (gpu_classes_ && kind == "ResourceClaimTemplate" &&
      GroupOf(api_version) == "resource.k8s.io") {
    return TakeClaimTemplate(document, replace);
  }
  return kind.ends_with("List") ? TakeItems(document, replace) : Result<void>();
}

Result<std::size_t> ServiceCatalog::AddUnknown(const Json& document) {
  const std::size_t before = known_;
  if (const auto taken = Take(document, false); !taken.ok()) return taken.error();
  return known_ - before;
}

}  // namespace shm::cli
