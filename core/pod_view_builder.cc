#include "core/pod_view_builder.h"

#include <utility>

#include "core/pod_view_rules.h"

namespace shm {
namespace {

using pod_view_rules::Find;
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

std::string Trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

// What the value that comes now is.
PodViewBuilder::Node PodViewBuilder::Next() {
  if (stack_.empty()) return Node::kPod;
  Frame& top = stack_.back();
  if (ShapeOf(top.node) != Shape::kList) return pending_;
  ++top.elements;
  return Find(top.node, "[]");
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

bool PodViewBuilder::key(string_t& value) {
  pending_ = Find(stack_.back().node, value);
  if (pending_ != Node::kSkip) key_ = value;
  return true;
}

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

bool PodViewBuilder::Number(std::string text) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape == Shape::kQuantity) {
    SetText(node, std::move(text));
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

bool PodViewBuilder::string(string_t& value) {
  const Node node = Next();
  const Shape shape = ShapeOf(node);
  if (shape == Shape::kText) {
    SetText(node, value);
  } else if (shape == Shape::kQuantity) {
    SetText(node, Trim(value));
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

// Makes a part absent: it is null, or it comes a second time.
void PodViewBuilder::Clear(Node node) {
  switch (node) {
    case Node::kMetadata:
      view_.has_metadata = false;
      view_.name.clear();
      view_.generate_name.clear();
      view_.namespace_name.clear();
      view_.labels.reset();
      view_.annotations.reset();
      view_.owners.clear();
      break;
    case Node::kSpec:
      view_.volumes.reset();
      view_.init_containers.clear();
      view_.containers.clear();
      view_.resources = {};
      view_.resource_claims = 0;
      view_.host_ipc = false;
      view_.os.clear();
      break;
    case Node::kLabels:
      view_.labels.reset();
      break;
    case Node::kAnnotations:
      view_.annotations.reset();
      break;
    case Node::kOwners:
      view_.owners.clear();
      break;
    case Node::kHostIpc:
      view_.host_ipc = false;
      break;
    case Node::kOs:
      view_.os.clear();
      break;
    case Node::kPodClaims:
      view_.resource_claims = 0;
      break;
    case Node::kPodResources:
      view_.resources = {};
      break;
    case Node::kVolumes:
      view_.volumes.reset();
      break;
    case Node::kSizeLimit:
      view_.volumes->back().size_limit.reset();
      break;
    case Node::kContainers:
      view_.containers.clear();
      break;
    case Node::kInitContainers:
      view_.init_containers.clear();
      break;
    case Node::kCommand:
      container().command.clear();
      break;
    case Node::kArgs:
      container().args.clear();
      break;
    case Node::kEnv:
      container().env.reset();
      break;
    case Node::kEnvSource:
      container().env->back().from_source = false;
      break;
    case Node::kEnvFrom:
      container().has_env_from = false;
      break;
    case Node::kMounts:
      container().mounts.reset();
      break;
    case Node::kReadOnly:
      container().mounts->back().read_only = false;
      break;
    case Node::kResources:
      container().resources = {};
      break;
    case Node::kRequests:
      resources_->requests.reset();
      break;
    case Node::kLimits:
      resources_->limits.reset();
      break;
    case Node::kClaims:
      resources_->claims = 0;
      break;
    default:
      break;
  }
}

// An object or a list starts: its part is there, and empty.
void PodViewBuilder::Begin(Node node) {
  Clear(node);
  switch (node) {
    case Node::kMetadata:
      view_.has_metadata = true;
      break;
    case Node::kLabels:
      map_ = &view_.labels.emplace();
      break;
    case Node::kAnnotations:
      map_ = &view_.annotations.emplace();
      break;
    case Node::kOwner:
      view_.owners.emplace_back();
      break;
    case Node::kPodClaim:
      ++view_.resource_claims;
      break;
    case Node::kVolumes:
      view_.volumes.emplace();
      break;
    case Node::kVolume:
      view_.volumes->emplace_back();
      break;
    case Node::kEmptyDir:
      view_.volumes->back().kind = VolumeView::Kind::kDisk;
      view_.volumes->back().size_limit.reset();
      break;
    case Node::kHostPath:
      view_.volumes->back().kind = VolumeView::Kind::kHostPath;
      break;
    case Node::kVolumeClaim:
      view_.volumes->back().kind = VolumeView::Kind::kClaim;
      break;
    case Node::kOtherSource:
      view_.volumes->back().kind = VolumeView::Kind::kOther;
      break;
    case Node::kContainers:
      in_init_ = false;
      break;
    case Node::kInitContainers:
      in_init_ = true;
      break;
    case Node::kContainer: {
      auto& list = in_init_ ? view_.init_containers : view_.containers;
      list.emplace_back();
      list.back().init = in_init_;
      list.back().index = list.size() - 1;
      break;
    }
    case Node::kCommand:
      texts_ = &container().command;
      break;
    case Node::kArgs:
      texts_ = &container().args;
      break;
    case Node::kEnv:
      container().env.emplace();
      break;
    case Node::kEnvVar:
      container().env->emplace_back();
      break;
    case Node::kEnvSource:
      container().env->back().from_source = true;
      break;
    case Node::kEnvFromEntry:
      container().has_env_from = true;
      break;
    case Node::kMounts:
      container().mounts.emplace();
      break;
    case Node::kMount:
      container().mounts->emplace_back();
      break;
    case Node::kPodResources:
      resources_ = &view_.resources;
      resources_->present = true;
      break;
    case Node::kResources:
      resources_ = &container().resources;
      resources_->present = true;
      break;
    case Node::kRequests:
      map_ = &resources_->requests.emplace();
      break;
    case Node::kLimits:
      map_ = &resources_->limits.emplace();
      break;
    case Node::kClaim:
      ++resources_->claims;
      break;
    default:
      break;
  }
}

void PodViewBuilder::SetText(Node node, std::string text) {
  switch (node) {
    case Node::kName:
      view_.name = std::move(text);
      break;
    case Node::kGenerateName:
      view_.generate_name = std::move(text);
      break;
    case Node::kNamespace:
      view_.namespace_name = std::move(text);
      break;
    case Node::kMapText:
    case Node::kQuantity:
      (*map_)[key_] = std::move(text);
      break;
    case Node::kOwnerKind:
      view_.owners.back().kind = std::move(text);
      break;
    case Node::kOwnerName:
      view_.owners.back().name = std::move(text);
      break;
    case Node::kOsName:
      view_.os = std::move(text);
      break;
    case Node::kVolumeName:
      view_.volumes->back().name = std::move(text);
      break;
    case Node::kMedium:
      // HugePages is neither.
      view_.volumes->back().kind = text == "Memory" ? VolumeView::Kind::kMemory
                                   : text.empty()   ? VolumeView::Kind::kDisk
                                                    : VolumeView::Kind::kOther;
      break;
    case Node::kSizeLimit:
      view_.volumes->back().size_limit = std::move(text);
      break;
    default:
      SetContainerText(node, std::move(text));
      break;
  }
}

void PodViewBuilder::SetContainerText(Node node, std::string text) {
  switch (node) {
    case Node::kContainerName:
      container().name = std::move(text);
      break;
    case Node::kImage:
      container().image = std::move(text);
      break;
    case Node::kRestartPolicy:
      container().sidecar = in_init_ && text == "Always";
      break;
    case Node::kWord:
      texts_->push_back(std::move(text));
      break;
    case Node::kEnvName:
      container().env->back().name = std::move(text);
      break;
    case Node::kEnvValue:
      container().env->back().value = std::move(text);
      break;
    case Node::kMountName:
      container().mounts->back().volume = std::move(text);
      break;
    case Node::kMountPath: {
      std::string path = CleanPath(text);
      container().mounts->back().path = std::move(path);
      break;
    }
    case Node::kRecursiveReadOnly:
      container().mounts->back().recursive_read_only = !text.empty();
      break;
    case Node::kSubPath:
      if (!text.empty()) container().mounts->back().sub_path = true;
      break;
    default:
      break;
  }
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

namespace {

bool Walk(const Json& value, PodViewBuilder* builder);

bool WalkObject(const Json& object, PodViewBuilder* builder) {
  if (!builder->start_object(object.size())) return false;
  for (const auto& [name, member] : object.items()) {
    std::string copy = name;
    if (!builder->key(copy) || !Walk(member, builder)) return false;
  }
  return builder->end_object();
}

bool WalkArray(const Json& array, PodViewBuilder* builder) {
  if (!builder->start_array(array.size())) return false;
  for (const Json& element : array) {
    if (!Walk(element, builder)) return false;
  }
  return builder->end_array();
}

// As deep as the builder allows, kMaxPodDepth.
bool Walk(const Json& value, PodViewBuilder* builder) {
  switch (value.type()) {
    case Json::value_t::object:
      return WalkObject(value, builder);
    case Json::value_t::array:
      return WalkArray(value, builder);
    case Json::value_t::string: {
      std::string copy = value.get_ref<const std::string&>();
      return builder->string(copy);
    }
    case Json::value_t::boolean:
      return builder->boolean(value.get<bool>());
    case Json::value_t::number_integer:
      return builder->number_integer(value.get<Json::number_integer_t>());
    case Json::value_t::number_unsigned:
      return builder->number_unsigned(value.get<Json::number_unsigned_t>());
    case Json::value_t::number_float:
      return builder->number_float(value.get<double>(), "");
    case Json::value_t::binary: {
      Json::binary_t empty;
      return builder->binary(empty);
    }
    case Json::value_t::null:
    case Json::value_t::discarded:
      break;
  }
  return builder->null();
}

}  // namespace

Result<PodView> ReadPod(std::string_view json_text) {
  PodViewBuilder builder;
  // Its result is in the builder: a refused event or a wrong text leaves an error there.
  (void)Json::sax_parse(json_text, &builder);
  return builder.Take();
}

Result<PodView> ReadPodDocument(const Json& document) {
  PodViewBuilder builder;
  (void)Walk(document, &builder);
  return builder.Take();
}

}  // namespace shm
