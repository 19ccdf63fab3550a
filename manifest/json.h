// What a manifest is once it is read: JSON that keeps the order of its members.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "core/result.h"

namespace shm::manifest {

using Json = nlohmann::ordered_json;

// Nested objects and lists. More of them overflow the stack of whatever copies or writes the value.
inline constexpr std::size_t kMaxDepth = 512;

// Why a text could not be read. `line` counts from 1 within that text; 0: of the whole.
// `error.field` is the path to the value, "spec.containers[0].env", or empty.
struct ReadFailure {
  std::size_t line = 0;
  Error error;
  bool syntax = false;  // it is not of that format at all
};

using ReadOutcome = std::variant<Json, ReadFailure>;

}  // namespace shm::manifest
