// CheckPatch: applies a patch to the bare structure of the pod that was read.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pod_patch.h"

namespace shm {
namespace {

enum class Kind { kValue, kObject, kList };

// The structure of a JSON document as far as it is known: which members and elements it has. All
// its nodes stand in one array, as they are made for one patch and thrown away together.
class Shape {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr Node kRoot = 0;

  Shape() {
    nodes_.reserve(256);
    nodes_.push_back({{}, Kind::kObject});
  }

  Kind KindOf(Node node) const { return nodes_[node].kind; }

  // The last child of `parent`. `name`, which must outlive the Shape, is empty in a list.
  Node Append(Node parent, std::string_view name, Kind kind = Kind::kValue) {
    return InsertAfter(parent, nodes_[parent].last, name, kind);
  }

  // The member of that name; kNone where there is none.
  Node Member(Node object, std::string_view name) const {
    Node at = nodes_[object].first;
    while (at != kNone && nodes_[at].name != name) at = nodes_[at].next;
    return at;
  }

  // kNone where the list is not that long.
  Node Element(Node list, std::size_t index) const {
    Node at = nodes_[list].first;
    for (; at != kNone && index > 0; --index) at = nodes_[at].next;
    return at;
  }

  std::size_t Size(Node list) const {
    std::size_t size = 0;
    for (Node at = nodes_[list].first; at != kNone; at = nodes_[at].next) ++size;
    return size;
  }

  void SetMember(Node object, std::string_view name, Kind kind) {
    if (const Node old = Member(object, name); old != kNone) Remove(object, old);
    Append(object, name, kind);
  }

  // `index` is at most the list's size.
  void Insert(Node list, std::size_t index, Kind kind) {
    InsertAfter(list, index == 0 ? kNone : Element(list, index - 1), {}, kind);
  }

  void Remove(Node parent, Node child) {
    const Node before = Before(parent, child);
    const Node after = nodes_[child].next;
    (before == kNone ? nodes_[parent].first : nodes_[before].next) = after;
    if (nodes_[parent].last == child) nodes_[parent].last = before;
  }

 private:
  struct Entry {
    std::string_view name;
    Kind kind;
    Node first = kNone;
    Node last = kNone;
    Node next = kNone;  // of the same parent
  };

  Node Before(Node parent, Node child) const {
    Node before = kNone;
    for (Node at = nodes_[parent].first; at != child; at = nodes_[at].next) {
      before = at;
    }
    return before;
  }

  Node InsertAfter(Node parent, Node before, std::string_view name, Kind kind) {
    const auto node = static_cast<Node>(nodes_.size());
    nodes_.push_back({name, kind});
    Node& link = before == kNone ? nodes_[parent].first : nodes_[before].next;
    nodes_[node].next = link;
    link = node;
    if (nodes_[parent].last == before) nodes_[parent].last = node;
    return node;
  }

  std::vector<Entry> nodes_;
};

using Node = Shape::Node;

void Describe(const StringMap& map, Node node, Shape* shape) {
  for (const auto& entry : map) shape->Append(node, entry.first);
}

void Describe(const ResourcesView& resources, Node node, Shape* shape) {
  if (resources.requests) {
    Describe(*resources.requests, shape->Append(node, "requests", Kind::kObject), shape);
  }
  if (resources.limits) {
    Describe(*resources.limits, shape->Append(node, "limits", Kind::kObject), shape);
  }
}

void Describe(const EnvVar&, Node, Shape*) {}

void Describe(const MountView& mount, Node node, Shape* shape) {
  if (mount.read_only) shape->Append(node, "readOnly");
  if (mount.recursive_read_only) shape->Append(node, "recursiveReadOnly");
}

void Describe(const VolumeView& volume, Node node, Shape* shape) {
  if (volume.kind != VolumeView::Kind::kMemory) return;
  const Node source = shape->Append(node, "emptyDir", Kind::kObject);
  if (volume.size_limit) shape->Append(source, "sizeLimit");
}

void Describe(const ContainerView& container, Node node, Shape* shape);

// The member `name` of `parent`: a list of objects.
template <typename T>
void DescribeAll(const std::vector<T>& items, std::string_view name, Node parent, Shape* shape) {
  const Node list = shape->Append(parent, name, Kind::kList);
  for (const T& item : items) Describe(item, shape->Append(list, {}, Kind::kObject), shape);
}

void Describe(const ContainerView& container, Node node, Shape* shape) {
  if (container.resources.present) {
    Describe(container.resources, shape->Append(node, "resources", Kind::kObject), shape);
  }
  if (container.env) DescribeAll(*container.env, "env", node, shape);
  if (container.mounts) DescribeAll(*container.mounts, "volumeMounts", node, shape);
}

void Describe(const PodView& pod, Node node, Shape* shape) {
  if (pod.has_metadata) {
    const Node metadata = shape->Append(node, "metadata", Kind::kObject);
    if (pod.labels) Describe(*pod.labels, shape->Append(metadata, "labels", Kind::kObject), shape);
    if (pod.annotations) {
      Describe(*pod.annotations, shape->Append(metadata, "annotations", Kind::kObject), shape);
    }
  }
  const Node spec = shape->Append(node, "spec", Kind::kObject);
  DescribeAll(pod.containers, "containers", spec, shape);
  if (!pod.init_containers.empty()) {
    DescribeAll(pod.init_containers, "initContainers", spec, shape);
  }
  if (pod.volumes) DescribeAll(*pod.volumes, "volumes", spec, shape);
  if (pod.resources.present) {
    Describe(pod.resources, shape->Append(spec, "resources", Kind::kObject), shape);
  }
}

// The index that a token names; RFC 6901: no sign, no leading zero.
std::optional<std::size_t> ReadIndex(const std::string& token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) {
    return std::nullopt;
  }
  std::size_t index = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

// kNone where there is no such child.
Node Child(const Shape& shape, Node parent, const std::string& token) {
  if (shape.KindOf(parent) == Kind::kObject) return shape.Member(parent, token);
  if (shape.KindOf(parent) != Kind::kList) return Shape::kNone;
  const auto index = ReadIndex(token);
  return index ? shape.Element(parent, *index) : Shape::kNone;
}

Node ParentOf(const Shape& shape, const std::vector<std::string>& path) {
  Node at = path.empty() ? Shape::kNone : Shape::kRoot;
  for (std::size_t i = 0; at != Shape::kNone && i + 1 < path.size(); ++i) {
    at = Child(shape, at, path[i]);
  }
  return at;
}

// As deep as our values go: an empty object or list may be filled later, others are whole.
Kind KindOfValue(const std::string& json) {
  if (json == "{}") return Kind::kObject;
  if (json == "[]") return Kind::kList;
  return Kind::kValue;
}

bool Add(Shape& shape, Node parent, const std::string& token, const std::string& value) {
  if (shape.KindOf(parent) == Kind::kObject) {
    shape.SetMember(parent, token, KindOfValue(value));
    return true;
  }
  if (shape.KindOf(parent) != Kind::kList) return false;
  const std::size_t size = shape.Size(parent);
  const auto index = token == "-" ? std::optional(size) : ReadIndex(token);
  if (!index || *index > size) return false;
  shape.Insert(parent, *index, KindOfValue(value));
  return true;
}

bool Remove(Shape& shape, Node parent, const std::string& token) {
  const Node child = Child(shape, parent, token);
  if (child == Shape::kNone) return false;
  shape.Remove(parent, child);
  return true;
}

}  // namespace

Result<void> CheckPatch(const PodView& pod, const Patch& patch) {
  Shape shape;
  Describe(pod, Shape::kRoot, &shape);
  for (const PatchOperation& operation : patch) {
    const Node parent = ParentOf(shape, operation.path);
    const bool applies =
        parent != Shape::kNone && (operation.kind == PatchOperation::Kind::kAdd
                                       ? Add(shape, parent, operation.path.back(), operation.value)
                                       : Remove(shape, parent, operation.path.back()));
    if (!applies) return Error{RenderPointer(operation.path), "the patch does not apply here"};
  }
  return {};
}

}  // namespace shm
