#include "core/pod_view.h"

#include <algorithm>

namespace shm {
namespace {

const std::string* Find(const std::optional<StringMap>& map, std::string_view key) {
  if (!map) return nullptr;
  const auto found = map->find(key);
  return found == map->end() ? nullptr : &found->second;
}

// As almost all paths are.
bool IsClean(std::string_view path) {
  return path.front() == '/' && path.back() != '/' && path.find("//") == std::string_view::npos &&
         path.find("/.") == std::string_view::npos;
}

}  // namespace

const MountView* ContainerView::MountAt(std::string_view path) const {
  if (!mounts) return nullptr;
  const auto found = std::find_if(mounts->begin(), mounts->end(),
                                  [path](const MountView& mount) { return mount.path == path; });
  return found == mounts->end() ? nullptr : &*found;
}

std::string_view VolumeKindName(VolumeView::Kind kind) {
  switch (kind) {
    case VolumeView::Kind::kMemory:
      return "emptyDir in memory";
    case VolumeView::Kind::kDisk:
      return "emptyDir on disk";
    case VolumeView::Kind::kHostPath:
      return "hostPath";
    case VolumeView::Kind::kClaim:
      return "PersistentVolumeClaim";
    case VolumeView::Kind::kOther:
      break;
  }
  return "volume of another kind";
}

const std::string* PodView::Label(std::string_view key) const { return Find(labels, key); }

const std::string* PodView::Annotation(std::string_view key) const {
  return Find(annotations, key);
}

std::optional<std::size_t> PodView::FindVolume(std::string_view volume_name) const {
  if (!volumes) return std::nullopt;
  for (std::size_t i = 0; i < volumes->size(); ++i) {
    if ((*volumes)[i].name == volume_name) return i;
  }
  return std::nullopt;
}

std::string CleanPath(std::string_view path) {
  if (path.empty() || IsClean(path)) return std::string(path);
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view part = path.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string cleaned;
  for (const std::string_view part : parts) cleaned.append("/").append(part);
  return cleaned.empty() ? "/" : cleaned;
}

}  // namespace shm
