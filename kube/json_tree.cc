#include "kube/json_tree.h"

#include <utility>

namespace shm::kube {
namespace {

constexpr std::size_t kMaxDepth = 512;

}  // namespace

JsonTree::Json JsonTree::Parse(std::string_view text) {
  if (!Json::sax_parse(text, this)) return Json(Json::value_t::discarded);
  return std::move(root_);
}

// Where the value that comes now belongs.
JsonTree::Json& JsonTree::Place() {
  if (open_.empty()) return root_;
  Json& within = *open_.back();
  return within.is_array() ? within.emplace_back() : *member_;
}

bool JsonTree::Open(Json::value_t kind) {
  if (open_.size() + skipped_ >= kMaxDepth) return false;
  if (skipped_ > 0 || std::exchange(skip_next_, false)) {
    ++skipped_;
    return true;
  }
  Json& place = Place();
  place = kind;
  open_.push_back(&place);
  return true;
}

bool JsonTree::key(std::string& key) {
  if (skipped_ > 0) return true;
  const std::size_t depth = open_.size();
  if (depth == 1) {
    in_items_ = key == "items";
    has_items_ = has_items_ || in_items_;
  }
  if (depth == object_depth_) in_metadata_ = key == "metadata";
  if (object_depth_ > 0 && depth == object_depth_ + 1 && in_metadata_ && key == "managedFields") {
    skip_next_ = true;
    return true;
  }
  member_ = &(*open_.back())[key];
  return true;
}

bool JsonTree::EndSkipped() {
  if (skipped_ == 0) return false;
  --skipped_;
  return true;
}

bool JsonTree::end_object() {
  if (EndSkipped()) return true;
  open_.pop_back();
  if (!each_ || !in_items_ || open_.size() != 2 || !open_.back()->is_array()) return true;
  Json::array_t& elements = open_.back()->get_ref<Json::array_t&>();
  Json item = std::move(elements.back());
  elements.pop_back();
  ++items_;
  each_(std::move(item));
  return true;
}

bool JsonTree::end_array() {
  if (!EndSkipped()) open_.pop_back();
  return true;
}

}  // namespace shm::kube
