#include "manifest/tree_builder.h"

#include <utility>

namespace shm::manifest {
namespace {

// A message stays legible where keys are very long or very deep.
std::string Shortened(std::string path) {
  constexpr std::size_t kMost = 256;
  if (path.size() <= kMost) return path;
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(path[end]) & 0xC0) == 0x80) --end;
  return path.substr(0, end) + "...";
}

}  // namespace

bool TreeBuilder::Fail(std::size_t line, std::string message) {
  if (!failure_) failure_ = ReadFailure{line, {Shortened(Path()), std::move(message)}};
  return false;
}

// The open objects and lists, as "spec.containers[0].env".
std::string TreeBuilder::Path() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (frame.node->is_object()) {
      if (frame.key_pending) path += (path.empty() ? "" : ".") + frame.key;
    } else if (!frame.node->empty()) {
      path += "[" + std::to_string(frame.node->size() - 1) + "]";
    }
  }
  return path;
}

bool TreeBuilder::Key(std::string key, std::size_t line) {
  Frame& frame = frames_.back();
  frame.key = std::move(key);
  frame.key_pending = true;
  if (frame.keys.insert(frame.key).second) return true;
  return Fail(line, "the key stands twice in one object");
}

bool TreeBuilder::MergeKey(std::size_t) {
  Frame& frame = frames_.back();
  frame.key = "<<";
  frame.key_pending = true;
  frame.merge = std::make_unique<Json>();
  return true;
}

Json* TreeBuilder::Place(Json value, std::size_t line) {
  Json* place = &root_;
  if (frames_.empty()) {
    root_ = std::move(value);
  } else if (Frame& frame = frames_.back(); frame.node->is_array()) {
    frame.node->push_back(std::move(value));
    place = &frame.node->back();
  } else if (frame.merge) {
    *frame.merge = std::move(value);
    place = frame.merge.get();
  } else if (frame.merged && frame.node->contains(frame.key)) {
    place = &((*frame.node)[frame.key] = std::move(value));
  } else {
    // Past the search for the key, which is known to be new: large objects would cost their square.
    auto& members = frame.node->get_ref<Json::object_t&>();
    members.emplace_back(frame.key, std::move(value));
    place = &members.back().second;
  }
  if (!lines_.empty()) {
    const auto watched = lines_.find(Path());
    if (watched != lines_.end() && watched->second == 0) watched->second = line;
  }
  return place;
}

bool TreeBuilder::Ended(Json* value, std::size_t line) {
  last_ = value;
  if (frames_.empty()) return true;
  Frame& frame = frames_.back();
  frame.key_pending = false;
  if (!frame.merge) return true;
  last_merge_ = std::move(frame.merge);
  return Merge(*last_merge_, line);
}

bool TreeBuilder::Value(Json value, std::size_t line) {
  return Ended(Place(std::move(value), line), line);
}

bool TreeBuilder::Open(Json empty, std::size_t line) {
  if (frames_.size() >= kMaxDepth) {
    return Fail(line, "nests deeper than " + std::to_string(kMaxDepth));
  }
  Json* place = Place(std::move(empty), line);
  frames_.emplace_back().node = place;
  return true;
}

bool TreeBuilder::OpenObject(std::size_t line) { return Open(Json::object(), line); }

bool TreeBuilder::OpenList(std::size_t line) { return Open(Json::array(), line); }

bool TreeBuilder::Close(std::size_t line) {
  Json* node = frames_.back().node;
  frames_.pop_back();
  return Ended(node, line);
}

// What stands later wins, be it merged or not, as in go.yaml.in/yaml/v2; of a list the first map.
bool TreeBuilder::Merge(const Json& from, std::size_t line) {
  const Json maps = from.is_array() ? from : Json::array({from});
  Frame& frame = frames_.back();
  frame.merged = true;
  for (auto map = maps.rbegin(); map != maps.rend(); ++map) {
    if (!map->is_object()) return Fail(line, "<< takes an object or a list of objects");
    for (const auto& [key, value] : map->items()) (*frame.node)[key] = value;
  }
  return true;
}

}  // namespace shm::manifest
