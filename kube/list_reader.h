// Reads a list's page without holding its tree.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace shm::kube {

struct ListPageMeta {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
  std::size_t items = 0;
};

// Hands over each element of `items`, without its managedFields unless they are kept, and forgets
// it. Nothing if `text` is not the JSON of a list, in which case some items may have been handed
// over. Elements nested deeper than 512 count as not JSON.
std::optional<ListPageMeta> ReadListPage(std::string_view text,
                                         const std::function<void(nlohmann::json&&)>& each,
                                         bool keep_managed_fields = false);

// Parses `text` without exceptions; a discarded value where it is not JSON, or nested deeper than
// 512, at which nlohmann's destructor and copies would overflow the stack.
nlohmann::json ParseJson(std::string_view text);

}  // namespace shm::kube
