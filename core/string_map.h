// Labels, annotations and the like.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace shm {

// Searched without making a string of what is searched for.
using StringMap = std::map<std::string, std::string, std::less<>>;

}  // namespace shm
