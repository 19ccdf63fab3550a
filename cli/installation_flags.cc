#include "cli/installation_flags.h"

#include <CLI/CLI.hpp>
#include <optional>

#include "core/quantity.h"

namespace shm::cli {
namespace {

// Leaves `into` as it is where the flag was not given.
template <typename T>
std::optional<Error> ReadBytes(const char* flag, const std::string& text, bool zero, T* into) {
  const Result<std::optional<std::int64_t>> bytes = ReadBytesFlag(flag, text, zero);
  if (!bytes.ok()) return bytes.error();
  if (*bytes) *into = **bytes;
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::int64_t>> ReadBytesFlag(const char* flag, const std::string& text,
                                                  bool zero) {
  if (text.empty()) return std::optional<std::int64_t>();
  const Result<std::int64_t> bytes = ParseQuantity(text);
  if (!bytes.ok()) return Error{flag, bytes.error().message};
  if (*bytes == 0 && !zero) return Error{flag, "\"" + text + "\" is not above 0"};
  return std::optional(*bytes);
}

void AddInstallationFlags(CLI::App* app, InstallationFlags* flags) {
  app->add_option("--size-per-gpu", flags->size_per_gpu, "As the installation has it; else 1Gi");
  app->add_option("--max-size", flags->max_size, "As the installation has it; else none");
  app->add_option("--memory-headroom", flags->memory_headroom,
                  "As the installation has it; else 1Gi");
  app->add_option("--memory-limit-policy", flags->memory_limit_policy,
                  "Warn, Raise or Reject, as the installation has it; else Warn");
  app->add_flag("--audit", flags->audit, "Say what would be done; change nothing");
}

Result<InstallationDefaults> ReadInstallationFlags(const InstallationFlags& flags) {
  InstallationDefaults defaults;
  std::optional<Error> error =
      ReadBytes("--size-per-gpu", flags.size_per_gpu, false, &defaults.size_per_gpu);
  if (!error) error = ReadBytes("--max-size", flags.max_size, false, &defaults.max_size);
  if (!error) {
    error = ReadBytes("--memory-headroom", flags.memory_headroom, true, &defaults.memory_headroom);
  }
  if (error) return *error;
  if (!flags.memory_limit_policy.empty()) {
    const auto policy = ParseMemoryLimitPolicy(flags.memory_limit_policy);
    if (!policy) {
      return Error{"--memory-limit-policy",
                   "\"" + flags.memory_limit_policy + "\" is not Warn, Raise or Reject"};
    }
    defaults.memory_limit_policy = *policy;
  }
  defaults.audit = flags.audit;
  return defaults;
}

}  // namespace shm::cli
