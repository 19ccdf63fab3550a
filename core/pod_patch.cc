#include "core/pod_patch.h"

#include <utility>

#include "core/quantity.h"

namespace shm {
namespace {

std::vector<std::string> PathOf(const ContainerView& container) {
  return {"spec", container.init ? "initContainers" : "containers",
          std::to_string(container.index)};
}

std::vector<std::string> Below(std::vector<std::string> path, std::string token) {
  path.push_back(std::move(token));
  return path;
}

}  // namespace

void PodPatch::Add(Path path, std::string value) {
  operations_.push_back({PatchOperation::Kind::kAdd, std::move(path), std::move(value)});
}

void PodPatch::Remove(Path path) {
  operations_.push_back({PatchOperation::Kind::kRemove, std::move(path), ""});
}

void PodPatch::Ensure(const Path& path, bool present, const char* empty) {
  if (!present && made_.insert(path).second) Add(path, empty);
}

void PodPatch::SetLabel(const char* key, const std::string& value) {
  Ensure({"metadata"}, pod_.has_metadata, "{}");
  Ensure({"metadata", "labels"}, pod_.labels.has_value(), "{}");
  Add({"metadata", "labels", key}, JsonString(value));
}

void PodPatch::SetAnnotation(const char* key, const std::string& value) {
  Ensure({"metadata"}, pod_.has_metadata, "{}");
  Ensure({"metadata", "annotations"}, pod_.annotations.has_value(), "{}");
  Add({"metadata", "annotations", key}, JsonString(value));
}

void PodPatch::SetIn(Path resources, const ResourcesView& view, const char* list,
                     const std::string& resource, const std::string& quantity) {
  const bool limits = std::string_view(list) == "limits";
  Ensure(resources, view.present, "{}");
  resources.emplace_back(list);
  Ensure(resources, (limits ? view.limits : view.requests).has_value(), "{}");
  Add(Below(std::move(resources), resource), JsonString(quantity));
}

void PodPatch::SetResource(const ContainerView& container, const char* list,
                           const std::string& resource, const std::string& quantity) {
  SetIn(Below(PathOf(container), "resources"), container.resources, list, resource, quantity);
}

void PodPatch::SetPodResource(const char* list, const std::string& resource,
                              const std::string& quantity) {
  SetIn({"spec", "resources"}, pod_.resources, list, resource, quantity);
}

void PodPatch::PrependEnv(const ContainerView& container, const std::vector<EnvVar>& entries) {
  if (entries.empty()) return;
  const Path env = Below(PathOf(container), "env");
  Ensure(env, container.env.has_value(), "[]");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Add(Below(env, std::to_string(i)), "{\"name\":" + JsonString(entries[i].name) +
                                           ",\"value\":" + JsonString(entries[i].value) + "}");
  }
}

void PodPatch::AddMemoryVolume(const std::string& name, std::int64_t size) {
  Ensure({"spec", "volumes"}, pod_.volumes.has_value(), "[]");
  Add({"spec", "volumes", "-"}, "{\"name\":" + JsonString(name) +
                                    R"(,"emptyDir":{"medium":"Memory","sizeLimit":)" +
                                    JsonString(FormatBytes(size)) + "}}");
}

void PodPatch::SetSizeLimit(std::size_t volume, std::int64_t size) {
  Add({"spec", "volumes", std::to_string(volume), "emptyDir", "sizeLimit"},
      JsonString(FormatBytes(size)));
}

void PodPatch::AddMount(const ContainerView& container, const std::string& volume,
                        const std::string& path) {
  const Path mounts = Below(PathOf(container), "volumeMounts");
  Ensure(mounts, container.mounts.has_value(), "[]");
  Add(Below(mounts, "-"),
      "{\"name\":" + JsonString(volume) + ",\"mountPath\":" + JsonString(path) + "}");
}

void PodPatch::RemoveReadOnly(const ContainerView& container, std::size_t mount) {
  const Path path = Below(Below(PathOf(container), "volumeMounts"), std::to_string(mount));
  Remove(Below(path, "readOnly"));
  // Valid beside readOnly alone.
  if ((*container.mounts)[mount].recursive_read_only) Remove(Below(path, "recursiveReadOnly"));
}

bool AnnotationFits(const PodView& pod, std::string_view key, std::string_view value) {
  constexpr std::size_t kMost = 256 * 1024;
  std::size_t bytes = key.size() + value.size();
  if (!pod.annotations) return bytes <= kMost;
  for (const auto& [other, text] : *pod.annotations) {
    if (other != key) bytes += other.size() + text.size();
  }
  return bytes <= kMost;
}

}  // namespace shm
