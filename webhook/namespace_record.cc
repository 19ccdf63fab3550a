#include "webhook/namespace_record.h"

#include <nlohmann/json.hpp>

#include "core/names.h"
#include "core/string_map.h"

namespace shm::webhook {

Result<NamespaceRecord> ParseNamespaceRecord(const nlohmann::json& object) {
  StringMap ours;
  const auto metadata = object.find("metadata");
  if (metadata != object.end() && metadata->is_object()) {
    const auto annotations = metadata->find("annotations");
    if (annotations != metadata->end() && annotations->is_object()) {
      for (const auto& [key, value] : annotations->items()) {
        if (key.starts_with(names::kPrefix) && value.is_string()) ours[key] = value;
      }
    }
  }
  NamespaceRecord record;
  record.defaults = ReadNamespaceDefaults(ours, &record.warnings);
  return record;
}

}  // namespace shm::webhook
