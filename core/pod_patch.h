// Writes changes to a pod as JSON Patch operations that apply to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_patch.h"
#include "core/pod_view.h"
#include "core/result.h"

namespace shm {

// Collects operations against one view, which must outlive it. Parents that the pod lacks (trap A2)
// are made first, once. Not thread-safe.
class PodPatch {
 public:
  explicit PodPatch(const PodView& pod) : pod_(pod) { operations_.reserve(16); }

  void SetLabel(const char* key, const std::string& value);
  void SetAnnotation(const char* key, const std::string& value);
  // `list` is "requests" or "limits".
  void SetResource(const ContainerView& container, const char* list, const std::string& resource,
                   const std::string& quantity);
  void SetPodResource(const char* list, const std::string& resource, const std::string& quantity);
  // Puts entries in front of the container's env, in their order; at most once a container.
  void PrependEnv(const ContainerView& container, const std::vector<EnvVar>& entries);
  void AddMemoryVolume(const std::string& name, std::int64_t size);
  void SetSizeLimit(std::size_t volume, std::int64_t size);
  void AddMount(const ContainerView& container, const std::string& volume, const std::string& path);
  void RemoveReadOnly(const ContainerView& container, std::size_t mount);

  const Patch& operations() const { return operations_; }
  Patch Take() { return std::move(operations_); }

 private:
  using Path = std::vector<std::string>;
  void Add(Path path, std::string value);
  void Remove(Path path);
  // Makes the object or list at `path`, which the pod lacks, where this patch did not make it yet.
  void Make(Path path, const char* empty);
  void SetIn(Path resources, const ResourcesView& view, const char* list,
             const std::string& resource, const std::string& quantity);

  const PodView& pod_;
  Patch operations_;
  std::set<Path> made_;
};

// Whether the pod's annotations, with this one set, stay within the 256 KiB of keys and values that
// the API server takes: TotalAnnotationSizeLimitB, pkg/api/validation/objectmeta.go in
// kubernetes/apimachinery.
bool AnnotationFits(const PodView& pod, std::string_view key, std::string_view value);

// Whether a patch applies to the pod that was read (trap A1): every parent exists or is made
// before, every index is valid, what is removed is there. An Error names the operation. Knows
// nothing of how PodPatch works.
Result<void> CheckPatch(const PodView& pod, const Patch& patch);

}  // namespace shm
