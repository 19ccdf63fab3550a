// The InferenceService of shm-operator.dev/v1alpha1, parsed: what the programs keep of one in
// memory.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/string_map.h"

namespace shm {

enum class SharedMemoryMode { kMemory, kDisabled };
enum class MountScope { kPod, kGpuContainers };
enum class MemoryLimitPolicy { kWarn, kRaise, kReject };
enum class RepairPolicy { kReport, kRestart };

// TP, PP and DP degrees, each 1 to 1024; unset where its source does not say.
struct Degrees {
  std::optional<int> tensor_parallel;
  std::optional<int> pipeline_parallel;
  std::optional<int> data_parallel;
  friend bool operator==(const Degrees&, const Degrees&) = default;
};

// A metav1.LabelSelector.
struct LabelSelector {
  enum class Operator { kIn, kNotIn, kExists, kDoesNotExist };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;
    friend bool operator==(const Requirement&, const Requirement&) = default;
  };
  StringMap match_labels;
  std::vector<Requirement> match_expressions;

  // As Kubernetes matches: every term must hold; an empty selector matches everything.
  bool Matches(const StringMap& labels) const;
  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

// Whether every set of labels that `narrow` matches is certain to match `wide`. False where it
// cannot be told from single terms: a `narrow` that matches nothing, say. Pure.
bool Implies(const LabelSelector& narrow, const LabelSelector& wide);

struct SharedMemorySpec {
  SharedMemoryMode mode = SharedMemoryMode::kMemory;
  std::optional<std::int64_t> size;          // bytes, exact
  std::optional<std::int64_t> size_per_gpu;  // bytes
  int communicators = 4;                     // NCCL communicators, 1 to 1024
  MountScope mount_scope = MountScope::kPod;
  std::optional<MemoryLimitPolicy>
      memory_limit_policy;  // unset: the namespace's, else the installation's
  friend bool operator==(const SharedMemorySpec&, const SharedMemorySpec&) = default;
};

// Plain value; safe to share between threads while nobody writes it.
struct InferenceService {
  std::string name;
  std::string namespace_name;
  std::string uid;
  std::string resource_version;    // opaque
  std::string creation_timestamp;  // RFC 3339, UTC: sorts as text
  std::int64_t generation = 0;
  bool deleting = false;  // metadata.deletionTimestamp is set

  Degrees degrees;
  std::optional<int> node_count;  // pods one replica spans, 1 to 1024; unset: 1
  std::optional<int> gpu_count;   // GPUs in each pod, 1 to 1024
  std::string gpu_resource_name = "nvidia.com/gpu";
  std::string container_name;  // empty: the rule of "Which containers"
  SharedMemorySpec shared_memory;
  RepairPolicy repair = RepairPolicy::kReport;
  std::optional<LabelSelector> selector;  // set exactly where the pods are somebody else's
  bool has_template = false;              // spec.template itself stays in the API object

  friend bool operator==(const InferenceService&, const InferenceService&) = default;
};

// Reads an object as the API server stores it. Fields that it does not know are ignored (the CRD
// and strict clients refuse them); a value of a wrong type or out of range is an Error that names
// its field.
Result<InferenceService> ParseInferenceService(const nlohmann::json& object);

// GPUs in each pod: gpuCount, else TP × PP × DP ÷ nodeCount (missing degrees count 1) where any
// degree is set; nothing where the InferenceService does not say. A product that nodeCount does not
// divide, or more than gpuCount × nodeCount, is an Error on spec.
Result<std::optional<int>> GpusPerPod(const InferenceService& service);

}  // namespace shm
