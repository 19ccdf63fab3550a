#include "kube/list_reader.h"

#include <nlohmann/json.hpp>

namespace shm::kube {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 512;

std::string MetaText(const Json& root, const char* name) {
  const auto meta = root.find("metadata");
  if (meta == root.end() || !meta->is_object()) return {};
  const auto found = meta->find(name);
  return found != meta->end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Whether brackets nest at most kMaxDepth deep. Checked before parsing: the parser itself is
// iterative, what it builds is not destroyed so.
bool ShallowEnough(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace

Json ParseJson(std::string_view text) {
  if (!ShallowEnough(text)) return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::optional<ListPageMeta> ReadListPage(std::string_view text,
                                         const std::function<void(Json&&)>& each) {
  if (!ShallowEnough(text)) return std::nullopt;
  ListPageMeta meta;
  bool in_items = false;
  bool has_items = false;
  const auto on_event = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      in_items = parsed == "items";
      has_items = has_items || in_items;
    }
    if (!in_items || depth != 2 || event != Json::parse_event_t::object_end) return true;
    ++meta.items;
    each(std::move(parsed));
    return false;
  };
  const Json root = Json::parse(text, on_event, /*allow_exceptions=*/false);
  if (!root.is_object() || !has_items) return std::nullopt;
  meta.resource_version = MetaText(root, "resourceVersion");
  meta.continue_token = MetaText(root, "continue");
  return meta;
}

}  // namespace shm::kube
