#include "kube/list_reader.h"

#include <nlohmann/json.hpp>

#include "kube/json_tree.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kItemDepth = 3;  // the list, its items, one of them

std::string MetaText(const Json& root, const char* name) {
  const auto meta = root.find("metadata");
  if (meta == root.end() || !meta->is_object()) return {};
  const auto found = meta->find(name);
  return found != meta->end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Json ParseJson(std::string_view text) { return JsonTree(0).Parse(text); }

std::optional<ListPageMeta> ReadListPage(std::string_view text,
                                         const std::function<void(Json&&)>& each,
                                         bool keep_managed_fields) {
  JsonTree tree(keep_managed_fields ? 0 : kItemDepth);
  tree.HandOverItems(each);
  const Json root = tree.Parse(text);
  if (!root.is_object() || !tree.has_items()) return std::nullopt;
  return ListPageMeta{MetaText(root, "resourceVersion"), MetaText(root, "continue"), tree.items()};
}

}  // namespace shm::kube
