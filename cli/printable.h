// Text of somebody else's, for a terminal.
#pragma once

#include <string>

namespace shm::cli {

// What a file says a name is may hold anything; a terminal obeys control characters. Each of them
// becomes "?". Pure.
std::string Printable(std::string text);

}  // namespace shm::cli
