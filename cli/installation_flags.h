// The flags that stand for the installation's configuration, where there is no installation.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/defaults.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace shm::cli {

// As the user typed them; empty: not given.
struct InstallationFlags {
  std::string size_per_gpu, max_size, memory_headroom, memory_limit_policy;
  bool audit = false;
};

// Bytes as a flag has them: nothing where it was not given, and 0 only where that is allowed. An
// Error's field is the flag.
Result<std::optional<std::int64_t>> ReadBytesFlag(const char* flag, const std::string& text,
                                                  bool zero = false);

void AddInstallationFlags(CLI::App* app, InstallationFlags* flags);

// An Error's field is the flag.
Result<InstallationDefaults> ReadInstallationFlags(const InstallationFlags& flags);

}  // namespace shm::cli
