#include "core/gpu_containers.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

// KServe's, Dynamo's, production-stack's and KubeRay's names for the container that serves.
constexpr std::array<std::string_view, 5> kKnownNames = {"kserve-container", "main", "vllm",
                                                         "worker", "engine"};

// Resources that device plugins advertise for GPUs: whole names, and a prefix, which ends in '-'.
constexpr std::array<std::string_view, 7> kGpuResources = {
    "nvidia.com/gpu",     "nvidia.com/gpu.shared", "nvidia.com/mig-", "amd.com/gpu",
    "gpu.intel.com/i915", "gpu.intel.com/xe",      "habana.ai/gaudi"};

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Adds a list's GPU resources to `counts`, the larger of two counts of one resource.
void CountIn(const std::optional<ResourceList>& list, std::string_view own_name,
             std::map<std::string_view, std::int64_t>* counts) {
  if (!list) return;
  for (const auto& [resource, text] : *list) {
    if (!IsGpuResource(resource, own_name)) continue;
    const auto count = ParseQuantity(text);
    std::int64_t& most = (*counts)[resource];
    most = std::max(most, count.ok() ? *count : 0);
  }
}

const ContainerView* FindByName(const PodView& pod, std::string_view name) {
  const auto named = [name](const ContainerView& c) { return c.runs() && c.name == name; };
  for (const auto* list : {&pod.containers, &pod.init_containers}) {
    const auto found = std::find_if(list->begin(), list->end(), named);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

const ContainerView* Choose(const PodView& pod, std::string_view wanted, bool* missing) {
  if (!wanted.empty()) {
    if (const ContainerView* named = FindByName(pod, wanted)) return named;
    *missing = true;
  }
  for (const std::string_view name : kKnownNames) {
    const auto is_named = [name](const ContainerView& c) { return c.name == name; };
    const auto found = std::find_if(pod.containers.begin(), pod.containers.end(), is_named);
    if (found != pod.containers.end()) return &*found;
  }
  return pod.containers.empty() ? nullptr : &pod.containers.front();
}

void AddRunning(const std::vector<ContainerView>& list, std::string_view own_name,
                const ClaimGpus& claims, GpuContainers* found) {
  for (const ContainerView& container : list) {
    const std::int64_t all = GpusOf(container, own_name).value_or(0) + claims.Of(container);
    const int gpus = static_cast<int>(std::min<std::int64_t>(all, kMostGpus));
    if (gpus == 0) continue;
    if (container.runs()) {
      found->containers.push_back(&container);
      found->gpus.push_back(gpus);
    } else {
      found->init.push_back(&container);
      found->init_gpus = std::max(found->init_gpus, gpus);
    }
  }
}

}  // namespace

bool IsGpuResource(std::string_view resource, std::string_view own_name) {
  if (resource == own_name) return true;
  return std::any_of(kGpuResources.begin(), kGpuResources.end(), [resource](std::string_view gpu) {
    const bool prefix = gpu.back() == '-';
    return prefix ? StartsWith(resource, gpu) : resource == gpu;
  });
}

std::optional<int> GpusOf(const ContainerView& container, std::string_view own_name) {
  std::map<std::string_view, std::int64_t> counts;
  CountIn(container.resources.limits, own_name, &counts);
  CountIn(container.resources.requests, own_name, &counts);
  if (counts.empty()) return std::nullopt;
  std::int64_t sum = 0;
  for (const auto& entry : counts) sum = AddSaturating(sum, entry.second);
  return static_cast<int>(std::min<std::int64_t>(sum, kMostGpus));
}

int GpuContainers::Total() const {
  const std::int64_t sum = std::accumulate(gpus.begin(), gpus.end(), std::int64_t{0}) - shared;
  const int largest = gpus.empty() ? 0 : *std::max_element(gpus.begin(), gpus.end());
  return std::max({static_cast<int>(std::min<std::int64_t>(sum, kMostGpus)), largest, init_gpus});
}

GpuContainers FindGpuContainers(const PodView& pod, std::string_view own_name,
                                std::string_view wanted_name, const ClaimGpus& claims) {
  GpuContainers found;
  AddRunning(pod.containers, own_name, claims, &found);
  AddRunning(pod.init_containers, own_name, claims, &found);
  found.shared = claims.shared;
  found.requested = !found.containers.empty();
  if (found.requested) {
    found.name_missing = !wanted_name.empty() && !FindByName(pod, wanted_name);
    return found;
  }
  if (const ContainerView* chosen = Choose(pod, wanted_name, &found.name_missing)) {
    found.containers.push_back(chosen);
    found.gpus.push_back(0);
  }
  return found;
}

}  // namespace shm
