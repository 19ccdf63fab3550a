// What an installation, and below it a namespace, says where an InferenceService is silent.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/inference_service.h"
#include "core/quantity.h"
#include "core/string_map.h"

namespace shm {

struct InstallationDefaults {
  std::int64_t size_per_gpu = kGibibyte;  // bytes
  std::optional<std::int64_t> max_size;   // bytes; unset: no bound
  MemoryLimitPolicy memory_limit_policy = MemoryLimitPolicy::kWarn;
  std::int64_t memory_headroom = kGibibyte;  // bytes a container needs beside its /dev/shm
  bool audit = false;                        // report, change nothing
  friend bool operator==(const InstallationDefaults&, const InstallationDefaults&) = default;
};

// What annotations on a Namespace put in their place.
struct NamespaceDefaults {
  std::optional<std::int64_t> size_per_gpu;
  std::optional<std::int64_t> max_size;
  std::optional<MemoryLimitPolicy> memory_limit_policy;
  friend bool operator==(const NamespaceDefaults&, const NamespaceDefaults&) = default;
};

// Reads a Namespace's annotations; one that cannot be used is a warning and left out.
// `warnings` may be null.
NamespaceDefaults ReadNamespaceDefaults(const StringMap& annotations,
                                        std::vector<std::string>* warnings);

// "Warn", "Raise" or "Reject"; nothing for any other text.
std::optional<MemoryLimitPolicy> ParseMemoryLimitPolicy(const std::string& text);

// The numbers that hold for a pod: the InferenceService's (null: none), else the namespace's, else
// the installation's.
struct SizingRules {
  std::int64_t size_per_gpu = kGibibyte;
  std::optional<std::int64_t> max_size;
  MemoryLimitPolicy memory_limit_policy = MemoryLimitPolicy::kWarn;
  std::int64_t memory_headroom = kGibibyte;
  int communicators = 4;
  MountScope mount_scope = MountScope::kPod;
  SharedMemoryMode mode = SharedMemoryMode::kMemory;
};
SizingRules MergeRules(const InstallationDefaults& installation,
                       const NamespaceDefaults& name_space, const InferenceService* service);

}  // namespace shm
