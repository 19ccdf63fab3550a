#include "cli/pod_numbers.h"

#include <string>

#include "core/gpu_containers.h"
#include "core/names.h"
#include "core/quantity.h"

namespace shm::cli {
namespace {

std::string Quoted(const std::string& text) { return "\"" + text.substr(0, 64) + "\""; }

// Fractions are rounded up by ParseQuantity; the API server refuses them for GPUs.
bool IsWhole(const std::string& text) {
  return !text.empty() && text.find('.') == std::string::npos &&
         std::string("munMUN").find(text.back()) == std::string::npos;
}

Result<void> CheckGpus(const std::string& field, const std::string& text) {
  const Result<std::int64_t> count = ParseQuantity(text);
  if (count.ok() && IsWhole(text) && *count <= kMostGpus) return {};
  return Error{field, Quoted(text) + " is no whole number of GPUs from 0 to 1024"};
}

Result<void> CheckList(const std::string& path, const std::optional<ResourceList>& list) {
  if (!list) return {};
  for (const auto& [resource, text] : *list) {
    const std::string field = path + "." + resource;
    if (IsGpuResource(resource, names::kDefaultGpuResource)) {
      if (auto checked = CheckGpus(field, text); !checked.ok()) return checked;
    } else if (resource == "memory") {
      const Result<std::int64_t> bytes = ParseQuantity(text);
      if (!bytes.ok()) return Error{field, Quoted(text) + ": " + bytes.error().message};
    }
  }
  return {};
}

Result<void> CheckResources(const std::string& path, const ResourcesView& resources) {
  auto checked = CheckList(path + ".requests", resources.requests);
  return checked.ok() ? CheckList(path + ".limits", resources.limits) : checked;
}

}  // namespace

Result<void> CheckPodNumbers(const PodView& pod) {
  for (const auto* list : {&pod.containers, &pod.init_containers}) {
    for (const ContainerView& container : *list) {
      const std::string path = std::string("spec.") +
                               (container.init ? "initContainers[" : "containers[") +
                               std::to_string(container.index) + "].resources";
      if (auto checked = CheckResources(path, container.resources); !checked.ok()) return checked;
    }
  }
  return CheckResources("spec.resources", pod.resources);
}

}  // namespace shm::cli
