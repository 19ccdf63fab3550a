// The flags that stand for the installation's configuration, where there is no installation.
//
// Plain values and pure functions; safe from any thread.
#pragma once

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

void AddInstallationFlags(CLI::App* app, InstallationFlags* flags);

// An Error's field is the flag.
Result<InstallationDefaults> ReadInstallationFlags(const InstallationFlags& flags);

}  // namespace shm::cli
