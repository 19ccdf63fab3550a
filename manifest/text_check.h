// What a text must be before YAML or JSON is looked for in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "manifest/json.h"

namespace shm::manifest {

// Refuses what is no UTF-8, and control characters other than tab and line ends. Pure.
std::optional<ReadFailure> CheckText(std::string_view text);

// The line (from 1) that the byte at `offset` stands in.
std::size_t LineAt(std::string_view text, std::size_t offset);

}  // namespace shm::manifest
