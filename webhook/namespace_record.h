// What the webhook keeps of a Namespace.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/defaults.h"
#include "core/result.h"

namespace shm::webhook {

struct NamespaceRecord {
  NamespaceDefaults defaults;
  std::vector<std::string> warnings;  // about annotations that cannot be used
};

// From the object as the API server sends it; annotations that are not ours are not looked at.
Result<NamespaceRecord> ParseNamespaceRecord(const nlohmann::json& object);

}  // namespace shm::webhook
