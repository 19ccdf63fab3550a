// Reads JSON values that stand one after the other, as kubectl writes and reads them.
//
// Pure; safe from any thread.
#pragma once

#include <string_view>

#include "manifest/json.h"

namespace shm::manifest {

// Reads the value at the beginning of `text` (blanks before it are passed over); what follows it
// does not matter. Of numbers the type is kept; one that fits neither 64 bits nor a double is
// refused, as are kMaxDepth and keys that stand twice.
ReadOutcome ReadJson(std::string_view text);

}  // namespace shm::manifest
