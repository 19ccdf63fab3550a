#include "core/pod_view_builder.h"

#include <utility>

#include "core/pod_view_rules.h"

namespace shm {
namespace {

using pod_view_rules::ElementOf;
using pod_view_rules::Find;
using pod_view_rules::IsName;
using pod_view_rules::KeyOf;
using pod_view_rules::Shape;
using pod_view_rules::ShapeOf;
using Json = nlohmann::json;

std::string_view ShapeName(Shape shape) {
  switch (shape) {
    case Shape::kObject:
      return "an object";
    case Shape::kList:
      return "a list";
    case Shape::kText:
      return "a string";
    case Shape::kBoolean:
      return "true or false";
    case Shape::kQuantity:
      return "a quantity";
    case Shape::kAnything:
      break;
  }
  return "something else";
}

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

// What the value that comes now is.
PodViewBuilder::Node PodViewBuilder::Next() {
  if (stack_.empty()) return Node::kPod;
  Frame& top = stack_.back();
  if (ShapeOf(top.node) != Shape::kList) return pending_;
  ++top.elements;
  const Node element = ElementOf(top.node);
  return HasRoomFor(element) ? element : Node::kSkip;
}

bool PodViewBuilder::HasRoomFor(Node entry) {
  if (entry == Node::kContainer && ++containers_ > kMaxPodContainers) {
    Fail(entry, "a pod of more than " + std::to_string(kMaxPodContainers) +
                    " containers is not looked at");
    return false;
  }
  const std::size_t claims = entry == Node::kPodClaim ? view_.resource_claims.size()
                             : entry == Node::kClaim  ? resources_->claims.size()
                                                      : 0;
  if (claims >= kMaxPodResources) {
    Fail(entry,
         "more than " + std::to_string(kMaxPodResources) + " claims in one list are not looked at");
    return false;
  }
  if (entry != Node::kSkip && ++entries_ > kMaxPodEntries) {
    Fail(entry, "a pod with more than " + std::to_string(kMaxPodEntries) +
                    " entries in its lists and maps is not looked at");
    return false;
  }
  return true;
}

bool PodViewBuilder::Push(Node node) {
  if (stack_.size() >= kMaxPodDepth) {
    error_ = Error{"", "the pod nests deeper than " + std::to_string(kMaxPodDepth)};
    return false;
  }
  stack_.push_back({node});
  pending_ = Node::kSkip;
  return true;
}

bool PodViewBuilder::start_object(std::size_t) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape != Shape::kObject && shape != Shape::kAnything) {
    Fail(node, "must be " + std::string(ShapeName(shape)));
    return Push(Node::kSkip);
  }
  Begin(node);
  return Push(node == Node::kOtherSource ? Node::kSkip : node);
}

bool PodViewBuilder::start_array(std::size_t) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape != Shape::kList) {
    if (shape != Shape::kAnything) Fail(node, "must be " + std::string(ShapeName(shape)));
    return Push(Node::kSkip);
  }
  Begin(node);
  return Push(node);
}

bool PodViewBuilder::PlainKey(std::string_view text) {
  pending_ = Find(stack_.back().node, text);
  if (pending_ == Node::kMapText || pending_ == Node::kQuantity) {
    if (!TakeKey(text)) pending_ = Node::kSkip;
  }
  return true;
}

// The key of a map; false where its value is not looked at.
bool PodViewBuilder::TakeKey(std::string_view text) {
  key_ = text.substr(0, kMaxNameBytes);
  if (!HasRoomFor(pending_)) return false;
  if (text.size() > kMaxNameBytes) {
    Fail(pending_, "is longer than " + std::to_string(kMaxNameBytes) + " bytes");
    return false;
  }
  if (pending_ == Node::kQuantity && map_->size() >= kMaxPodResources) {
    Fail(pending_, "more than " + std::to_string(kMaxPodResources) +
                       " resources in one list are not looked at");
    return false;
  }
  return true;
}

// Texts that are told again, in warnings and patches, are bounded.
bool PodViewBuilder::TakesName(Node node, std::string_view text) {
  if (text.size() <= kMaxNameBytes || !IsName(node)) return true;
  if (node == Node::kMapText && stack_.back().node == Node::kAnnotations) return true;
  Fail(node, "is longer than " + std::to_string(kMaxNameBytes) + " bytes");
  return false;
}

bool PodViewBuilder::WantsValue() const { return pending_ != Node::kSkip; }

bool PodViewBuilder::end_object() {
  stack_.pop_back();
  return true;
}

bool PodViewBuilder::end_array() {
  stack_.pop_back();
  return true;
}

bool PodViewBuilder::null() {
  const Node node = Next();
  const bool element = !stack_.empty() && ShapeOf(stack_.back().node) == Shape::kList;
  const Shape shape = ShapeOf(node);
  if (node == Node::kPod || (element && shape == Shape::kObject)) {
    Fail(node, "must be " + std::string(ShapeName(shape)));
  } else if (shape == Shape::kText) {
    SetText(node, "");
  } else if (node == Node::kQuantity) {
    SetText(node, "0");
  } else {
    Clear(node);
  }
  return true;
}

bool PodViewBuilder::boolean(bool value) {
  const Node node = Next();
  if (node == Node::kHostIpc) {
    view_.host_ipc = value;
  } else if (node == Node::kReadOnly) {
    container().mounts->back().read_only = value;
  } else if (const Shape shape = ShapeOf(node); shape != Shape::kAnything) {
    Fail(node, "must be " + std::string(ShapeName(shape)));
  }
  return true;
}

bool PodViewBuilder::Number(std::string_view text) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape == Shape::kQuantity) {
    SetText(node, text);
  } else if (shape != Shape::kAnything) {
    Fail(node, "must be " + std::string(ShapeName(shape)));
  }
  return true;
}

bool PodViewBuilder::number_integer(number_integer_t value) {
  return Number(std::to_string(value));
}

bool PodViewBuilder::number_unsigned(number_unsigned_t value) {
  return Number(std::to_string(value));
}

// Written as a document would write it, whose text of it is lost.
bool PodViewBuilder::number_float(number_float_t value, const string_t&) {
  return Number(Json(value).dump());
}

bool PodViewBuilder::PlainString(std::string_view text) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape == Shape::kText) {
    if (TakesName(node, text)) SetText(node, text);
  } else if (shape == Shape::kQuantity) {
    if (TakesName(node, text)) SetText(node, Trim(text));
  } else if (shape != Shape::kAnything) {
    Fail(node, "must be " + std::string(ShapeName(shape)));
  }
  return true;
}

bool PodViewBuilder::binary(binary_t&) {
  Fail(Next(), "must not be binary");
  return true;
}

bool PodViewBuilder::parse_error(std::size_t position, const std::string&,
                                 const nlohmann::detail::exception&) {
  if (!error_) error_ = Error{"", "no JSON: byte " + std::to_string(position) + " is wrong"};
  return false;
}

void PodViewBuilder::Fail(Node node, const std::string& message) {
  if (error_) return;
  std::string path = FieldPath();
  std::string_view name = KeyOf(node);
  if (name.empty() && !stack_.empty() && ShapeOf(stack_.back().node) == Shape::kObject) name = key_;
  if (!name.empty()) path += (path.empty() ? "" : ".") + std::string(name);
  error_ = Error{path, message};
}

// The open objects and lists, as "spec.containers[0].env[2]".
std::string PodViewBuilder::FieldPath() const {
  std::string path;
  for (const Frame& frame : stack_) {
    const std::string_view name = KeyOf(frame.node);
    if (!name.empty()) path += (path.empty() ? "" : ".") + std::string(name);
    if (ShapeOf(frame.node) == Shape::kList && frame.elements > 0) {
      path += "[" + std::to_string(frame.elements - 1) + "]";
    }
  }
  return path;
}

Result<PodView> PodViewBuilder::Take() {
  if (error_) return *error_;
  if (view_.containers.empty()) return Error{"spec.containers", "a pod needs a container"};
  return std::move(view_);
}

}  // namespace shm
