#include "core/pod_patch.h"

#include <utility>

#include "core/quantity.h"

namespace shm {
namespace {

using Path = std::vector<std::string>;

template <typename... Tokens>
Path PathTo(Tokens&&... tokens) {
  Path path;
  path.reserve(sizeof...(tokens));
  (path.emplace_back(std::forward<Tokens>(tokens)), ...);
  return path;
}

// Of a part of a container.
template <typename... Tokens>
Path PathIn(const ContainerView& container, Tokens&&... tokens) {
  return PathTo("spec", container.init ? "initContainers" : "containers",
                std::to_string(container.index), std::forward<Tokens>(tokens)...);
}

// An object of two texts.
std::string TextPair(const char* key, std::string_view value, const char* other_key,
                     std::string_view other_value) {
  std::string json = "{";
  json.reserve(64);
  AppendJsonString(key, &json);
  json += ':';
  AppendJsonString(value, &json);
  json += ',';
  AppendJsonString(other_key, &json);
  json += ':';
  AppendJsonString(other_value, &json);
  return json += '}';
}

}  // namespace

void PodPatch::Add(Path path, std::string value) {
  operations_.push_back({PatchOperation::Kind::kAdd, std::move(path), std::move(value)});
}

void PodPatch::Remove(Path path) {
  operations_.push_back({PatchOperation::Kind::kRemove, std::move(path), ""});
}

void PodPatch::Make(Path path, const char* empty) {
  if (made_.insert(path).second) Add(std::move(path), empty);
}

void PodPatch::SetLabel(const char* key, const std::string& value) {
  if (!pod_.has_metadata) Make(PathTo("metadata"), "{}");
  if (!pod_.labels) Make(PathTo("metadata", "labels"), "{}");
  Add(PathTo("metadata", "labels", key), JsonString(value));
}

void PodPatch::SetAnnotation(const char* key, const std::string& value) {
  if (!pod_.has_metadata) Make(PathTo("metadata"), "{}");
  if (!pod_.annotations) Make(PathTo("metadata", "annotations"), "{}");
  Add(PathTo("metadata", "annotations", key), JsonString(value));
}

void PodPatch::SetIn(Path resources, const ResourcesView& view, const char* list,
                     const std::string& resource, const std::string& quantity) {
  const bool limits = std::string_view(list) == "limits";
  if (!view.present) Make(resources, "{}");
  resources.emplace_back(list);
  if (!(limits ? view.limits : view.requests)) Make(resources, "{}");
  resources.push_back(resource);
  Add(std::move(resources), JsonString(quantity));
}

void PodPatch::SetResource(const ContainerView& container, const char* list,
                           const std::string& resource, const std::string& quantity) {
  SetIn(PathIn(container, "resources"), container.resources, list, resource, quantity);
}

void PodPatch::SetPodResource(const char* list, const std::string& resource,
                              const std::string& quantity) {
  SetIn(PathTo("spec", "resources"), pod_.resources, list, resource, quantity);
}

void PodPatch::PrependEnv(const ContainerView& container, const std::vector<EnvVar>& entries) {
  if (entries.empty()) return;
  if (!container.env) Make(PathIn(container, "env"), "[]");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Add(PathIn(container, "env", std::to_string(i)),
        TextPair("name", entries[i].name, "value", entries[i].value));
  }
}

void PodPatch::AddMemoryVolume(const std::string& name, std::int64_t size) {
  if (!pod_.volumes) Make(PathTo("spec", "volumes"), "[]");
  Add(PathTo("spec", "volumes", "-"),
      "{\"name\":" + JsonString(name) +
          ",\"emptyDir\":" + TextPair("medium", "Memory", "sizeLimit", FormatBytes(size)) + "}");
}

void PodPatch::SetSizeLimit(std::size_t volume, std::int64_t size) {
  Add(PathTo("spec", "volumes", std::to_string(volume), "emptyDir", "sizeLimit"),
      JsonString(FormatBytes(size)));
}

void PodPatch::AddMount(const ContainerView& container, const std::string& volume,
                        const std::string& path) {
  if (!container.mounts) Make(PathIn(container, "volumeMounts"), "[]");
  Add(PathIn(container, "volumeMounts", "-"), TextPair("name", volume, "mountPath", path));
}

void PodPatch::RemoveReadOnly(const ContainerView& container, std::size_t mount) {
  const std::string index = std::to_string(mount);
  Remove(PathIn(container, "volumeMounts", index, "readOnly"));
  // Valid beside readOnly alone.
  if ((*container.mounts)[mount].recursive_read_only) {
    Remove(PathIn(container, "volumeMounts", index, "recursiveReadOnly"));
  }
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
