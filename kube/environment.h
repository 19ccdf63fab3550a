// Environment variables as a value, so that what reads them can be tested.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace shm::kube {

// An environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment ProcessEnvironment();

}  // namespace shm::kube
