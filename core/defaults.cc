#include "core/defaults.h"

#include "core/names.h"

namespace shm {
namespace {

std::optional<std::int64_t> ReadBytes(const StringMap& annotations, const char* key,
                                      std::vector<std::string>* warnings) {
  const auto found = annotations.find(key);
  if (found == annotations.end()) return std::nullopt;
  const auto bytes = ParseQuantity(found->second);
  if (bytes.ok() && *bytes > 0) return *bytes;
  if (warnings) {
    warnings->push_back("the namespace's annotation " + std::string(key) + " is ignored: " +
                        (bytes.ok() ? "it must be above 0" : bytes.error().message));
  }
  return std::nullopt;
}

}  // namespace

std::optional<MemoryLimitPolicy> ParseMemoryLimitPolicy(const std::string& text) {
  if (text == "Warn") return MemoryLimitPolicy::kWarn;
  if (text == "Raise") return MemoryLimitPolicy::kRaise;
  if (text == "Reject") return MemoryLimitPolicy::kReject;
  return std::nullopt;
}

NamespaceDefaults ReadNamespaceDefaults(const StringMap& annotations,
                                        std::vector<std::string>* warnings) {
  NamespaceDefaults defaults;
  defaults.size_per_gpu = ReadBytes(annotations, names::kSizePerGpuAnnotation, warnings);
  defaults.max_size = ReadBytes(annotations, names::kMaxSizeAnnotation, warnings);
  const auto policy = annotations.find(names::kMemoryLimitPolicyAnnotation);
  if (policy == annotations.end()) return defaults;
  defaults.memory_limit_policy = ParseMemoryLimitPolicy(policy->second);
  if (!defaults.memory_limit_policy && warnings) {
    warnings->push_back("the namespace's annotation " + policy->first + " is ignored: \"" +
                        policy->second + "\" is none of Warn, Raise, Reject");
  }
  return defaults;
}

SizingRules MergeRules(const InstallationDefaults& installation,
                       const NamespaceDefaults& name_space, const InferenceService* service) {
  SizingRules rules;
  rules.size_per_gpu = name_space.size_per_gpu.value_or(installation.size_per_gpu);
  rules.max_size = name_space.max_size ? name_space.max_size : installation.max_size;
  rules.memory_limit_policy =
      name_space.memory_limit_policy.value_or(installation.memory_limit_policy);
  rules.memory_headroom = installation.memory_headroom;
  if (!service) return rules;
  const SharedMemorySpec& spec = service->shared_memory;
  rules.size_per_gpu = spec.size_per_gpu.value_or(rules.size_per_gpu);
  rules.memory_limit_policy = spec.memory_limit_policy.value_or(rules.memory_limit_policy);
  rules.communicators = spec.communicators;
  rules.mount_scope = spec.mount_scope;
  rules.mode = spec.mode;
  return rules;
}

}  // namespace shm
