// CheckPatch: applies a patch to the bare structure of the pod that was read.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pod_patch.h"

namespace shm {
namespace {

struct Member;

// The structure of a JSON value as far as it is known: which members and elements it has. A list
// serves for members, too: all but labels and annotations are few, and these are seldom searched.
struct Shape {
  enum class Kind { kValue, kObject, kList };
  Kind kind = Kind::kValue;
  std::vector<Member> members;
  std::vector<Shape> elements;

  Shape* Find(std::string_view name);  // null: none
  Shape& operator[](std::string_view name);
};

// Names stand in the pod, in the patch or here.
struct Member {
  std::string_view name;
  Shape shape;
};

using Kind = Shape::Kind;

Shape* Shape::Find(std::string_view name) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [name](const Member& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->shape;
}

Shape& Shape::operator[](std::string_view name) {
  if (Shape* found = Find(name)) return *found;
  return members.emplace_back(Member{name, {}}).shape;
}

Shape Object() { return {Kind::kObject, {}, {}}; }
Shape List() { return {Kind::kList, {}, {}}; }

Shape ShapeOf(const StringMap& map) {
  Shape shape = Object();
  shape.members.reserve(map.size() + 1);
  for (const auto& entry : map) shape.members.push_back({entry.first, {}});
  return shape;
}

Shape ShapeOf(const ResourcesView& resources) {
  Shape shape = Object();
  if (resources.requests) shape["requests"] = ShapeOf(*resources.requests);
  if (resources.limits) shape["limits"] = ShapeOf(*resources.limits);
  return shape;
}

Shape ShapeOf(const MountView& mount) {
  Shape shape = Object();
  if (mount.read_only) shape["readOnly"];
  if (mount.recursive_read_only) shape["recursiveReadOnly"];
  return shape;
}

Shape ShapeOf(const ContainerView& container) {
  Shape shape = Object();
  if (container.resources.present) shape["resources"] = ShapeOf(container.resources);
  if (container.env) {
    Shape& env = shape["env"] = List();
    env.elements.reserve(container.env->size() + 2);
    env.elements.resize(container.env->size());
  }
  if (container.mounts) {
    Shape& mounts = shape["volumeMounts"] = List();
    mounts.elements.reserve(container.mounts->size() + 1);
    for (const MountView& mount : *container.mounts) mounts.elements.push_back(ShapeOf(mount));
  }
  return shape;
}

Shape ShapeOf(const VolumeView& volume) {
  Shape shape = Object();
  if (volume.kind != VolumeView::Kind::kMemory) return shape;
  Shape& source = shape["emptyDir"] = Object();
  if (volume.size_limit) source["sizeLimit"];
  return shape;
}

template <typename T>
Shape ShapeOfAll(const std::vector<T>& items) {
  Shape shape = List();
  shape.elements.reserve(items.size() + 1);
  for (const T& item : items) shape.elements.push_back(ShapeOf(item));
  return shape;
}

Shape ShapeOf(const PodView& pod) {
  Shape shape = Object();
  if (pod.has_metadata) {
    Shape& metadata = shape["metadata"] = Object();
    if (pod.labels) metadata["labels"] = ShapeOf(*pod.labels);
    if (pod.annotations) metadata["annotations"] = ShapeOf(*pod.annotations);
  }
  Shape& spec = shape["spec"] = Object();
  spec["containers"] = ShapeOfAll(pod.containers);
  if (!pod.init_containers.empty()) {
    spec["initContainers"] = ShapeOfAll(pod.init_containers);
  }
  if (pod.volumes) spec["volumes"] = ShapeOfAll(*pod.volumes);
  if (pod.resources.present) spec["resources"] = ShapeOf(pod.resources);
  return shape;
}

// The index that a token names in a list of `size`; RFC 6901: no sign, no leading zero.
std::optional<std::size_t> IndexIn(const std::string& token, std::size_t size) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) {
    return std::nullopt;
  }
  std::size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  if (index >= size) return std::nullopt;
  return index;
}

Shape* Child(Shape& parent, const std::string& token) {
  if (parent.kind == Kind::kObject) return parent.Find(token);
  if (parent.kind != Kind::kList) return nullptr;
  const auto index = IndexIn(token, parent.elements.size());
  return index ? &parent.elements[*index] : nullptr;
}

Shape* ParentOf(Shape& root, const std::vector<std::string>& path) {
  Shape* at = &root;
  for (std::size_t i = 0; at && i + 1 < path.size(); ++i) at = Child(*at, path[i]);
  return at;
}

// As deep as our values go: an empty object or list may be filled later, others are whole.
Shape ShapeOfValue(const std::string& json) {
  if (json == "{}") return Object();
  if (json == "[]") return List();
  return {};
}

bool Add(Shape& parent, const std::string& token, const std::string& value) {
  if (parent.kind == Kind::kObject) {
    parent[token] = ShapeOfValue(value);
    return true;
  }
  if (parent.kind != Kind::kList) return false;
  auto& elements = parent.elements;
  const auto index =
      token == "-" ? std::optional(elements.size()) : IndexIn(token, elements.size() + 1);
  if (!index) return false;
  elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(*index), ShapeOfValue(value));
  return true;
}

bool Remove(Shape& parent, const std::string& token) {
  if (parent.kind == Kind::kObject) {
    return std::erase_if(parent.members,
                         [&token](const Member& member) { return member.name == token; }) == 1;
  }
  const auto index = IndexIn(token, parent.elements.size());
  if (parent.kind != Kind::kList || !index) return false;
  parent.elements.erase(parent.elements.begin() + static_cast<std::ptrdiff_t>(*index));
  return true;
}

}  // namespace

Result<void> CheckPatch(const PodView& pod, const Patch& patch) {
  Shape root = ShapeOf(pod);
  for (const PatchOperation& operation : patch) {
    Shape* parent = operation.path.empty() ? nullptr : ParentOf(root, operation.path);
    const bool applies = parent && (operation.kind == PatchOperation::Kind::kAdd
                                        ? Add(*parent, operation.path.back(), operation.value)
                                        : Remove(*parent, operation.path.back()));
    if (!applies) return Error{RenderPointer(operation.path), "the patch does not apply here"};
  }
  return {};
}

}  // namespace shm
