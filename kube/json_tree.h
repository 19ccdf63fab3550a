// Builds nlohmann trees from an API server's text, without what most do not read.
//
// A third of an object's text, and half of its nodes, are metadata.managedFields: unless somebody
// asks for them they are read over. For use by list_reader.cc and watch_line.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shm::kube {

// A SAX handler for one text, not thread-safe. Nesting deeper than 512 ends the parse: nlohmann's
// destructor and copies would overflow the stack.
class JsonTree {
 public:
  using Json = nlohmann::json;

  // Where the text's objects of the API are: an object's depth, 1 being the outermost's. Their
  // metadata.managedFields are left out. 0: nothing is left out.
  explicit JsonTree(std::size_t object_depth) : object_depth_(object_depth) {}

  // Hands over each object that is an element of the outermost's `items`, and forgets it.
  void HandOverItems(std::function<void(Json&&)> each) { each_ = std::move(each); }

  // A discarded value where `text` is not JSON, or too deep. Call it once.
  Json Parse(std::string_view text);

  bool has_items() const { return has_items_; }  // the outermost object has that key
  std::size_t items() const { return items_; }   // that were handed over

  // What nlohmann's parser calls; false ends the parse.
  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(Json::number_integer_t value) { return Put(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return Put(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return Put(value); }
  bool string(std::string& value) { return Put(value); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return Open(Json::value_t::object); }
  bool key(std::string& key);
  bool end_object();
  bool start_array(std::size_t) { return Open(Json::value_t::array); }
  bool end_array();
  bool parse_error(std::size_t, const std::string&, const Json::exception&) { return false; }

 private:
  template <typename Value>
  bool Put(const Value& value);
  Json& Place();
  bool Open(Json::value_t kind);
  bool EndSkipped();

  const std::size_t object_depth_;
  std::function<void(Json&&)> each_;
  Json root_;
  std::vector<Json*> open_;   // from the outermost on
  Json* member_ = nullptr;    // of the innermost object: where its next value goes
  bool in_metadata_ = false;  // the last key of an object of the API
  bool in_items_ = false;     // the last key of the outermost object
  bool has_items_ = false;
  bool skip_next_ = false;   // the next value is left out,
  std::size_t skipped_ = 0;  // and this deep are we in it
  std::size_t items_ = 0;
};

template <typename Value>
bool JsonTree::Put(const Value& value) {
  if (skipped_ > 0) return true;
  // Copied: a string's buffer is the parser's own, and larger than what it holds.
  if (!std::exchange(skip_next_, false)) Place() = value;
  return true;
}

}  // namespace shm::kube
