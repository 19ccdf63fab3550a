// Builds a value from the events of a YAML or JSON reader, and watches over what they do.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "manifest/json.h"

namespace shm::manifest {

// Lines (from 1) by the path of a field; 0: not known.
using FieldLines = std::map<std::string, std::size_t>;

// Takes the events of one document in their order. Each returns false once something is wrong, and
// then failure() says what and where; further events are of no use. Refused are: more than
// kMaxDepth nested objects and lists, and a key that stands twice in one object. Not thread-safe.
class TreeBuilder {
 public:
  // `watched`: fields whose lines are wanted (TakeLines).
  explicit TreeBuilder(const FieldLines& watched = {}) : lines_(watched) {}
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  // The next member's key; only inside an object.
  bool Key(std::string key, std::size_t line);
  // The next member's value is a map, or a list of maps, whose members become this object's own
  // (YAML's "<<").
  bool MergeKey(std::size_t line);
  bool Value(Json value, std::size_t line);
  bool OpenObject(std::size_t line);
  bool OpenList(std::size_t line);
  bool Close(std::size_t line);
  bool Fail(std::size_t line, std::string message);

  bool InObject() const { return !frames_.empty() && frames_.back().node->is_object(); }
  // An object's key was read, its value was not.
  bool KeyPending() const { return !frames_.empty() && frames_.back().key_pending; }
  // The value that ended last.
  const Json& Last() const { return *last_; }

  const std::optional<ReadFailure>& failure() const { return failure_; }
  // Where the watched fields' values begin; 0: nowhere.
  FieldLines TakeLines() { return std::move(lines_); }
  Json Take() { return std::move(root_); }

 private:
  struct Frame {
    Json* node;  // in root_, or in the merge of a frame below; stays, since only its end grows
    std::unordered_set<std::string> keys;
    std::string key;
    bool key_pending = false;
    std::unique_ptr<Json> merge;  // the value of "<<", while it is read
    bool merged = false;          // members came by "<<"
  };

  // Where the next value goes.
  Json* Place(Json value, std::size_t line);
  bool Open(Json empty, std::size_t line);
  bool Ended(Json* value, std::size_t line);
  bool Merge(const Json& from, std::size_t line);
  std::string Path() const;

  Json root_;
  std::vector<Frame> frames_;
  Json* last_ = &root_;
  std::unique_ptr<Json> last_merge_;  // what last_ may lead to: such a value is in no object
  FieldLines lines_;
  std::optional<ReadFailure> failure_;
};

}  // namespace shm::manifest
