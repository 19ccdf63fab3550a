// The status of an InferenceService, decided from what was observed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/inference_service.h"

namespace shm {

// What the operator keeps of a pod that belongs to an InferenceService.
struct PodFacts {
  std::string name;
  bool ready = false;                    // its Ready condition is True
  bool injected = false;                 // carries the label that the webhook writes
  std::optional<std::int64_t> shm_size;  // bytes, from the injection annotation
  std::vector<std::string> reasons;      // the webhook's, from the same annotation
  std::string uid{};
  std::string created{};     // RFC 3339, UTC: sorts as text
  bool opted_out = false;    // its label, or that it is a mirror pod, keeps the webhook off
  bool replaceable = false;  // a controller owns it that makes another in its place
  friend bool operator==(const PodFacts&, const PodFacts&) = default;
};

// How the Deployment and the Service fared.
struct ChildrenOutcome {
  enum class State {
    kNotWanted,        // selector mode: the pods are somebody else's
    kApplied,          // both are as wanted
    kTemplateInvalid,  // the API server refused the Deployment
    kNameTaken,        // an object of that name is not ours
    kFailed,           // anything else; tried again
  };
  State state = State::kNotWanted;
  std::string message;  // the API server's words, or the object that is in the way
  int replicas = 0;     // wanted
  int ready_replicas = 0;
  friend bool operator==(const ChildrenOutcome&, const ChildrenOutcome&) = default;
};

// How the repair of pods fares, where the InferenceService asks for it.
struct RepairOutcome {
  bool done = false;   // nothing is left to be repaired
  std::string reason;  // one word
  std::string message;
  friend bool operator==(const RepairOutcome&, const RepairOutcome&) = default;
};

struct StatusFacts {
  std::optional<Error> invalid;      // the spec, or its parallelism, does not add up
  std::optional<std::int64_t> size;  // bytes of /dev/shm in a new pod; unset in mode Disabled
  bool size_is_least = false;        // selector mode: an engine that is not known may need more
  std::string arithmetic;            // how the size came about, in words
  std::optional<int> gpus_per_pod;
  ChildrenOutcome children;
  std::vector<PodFacts> pods;
  bool namespace_enabled = true;     // carries the label that selector mode needs
  std::string older_overlap;         // selector mode: the older InferenceService that wins; or ""
  std::string pod_creation_failure;  // the last FailedCreate message of its pods; or ""
  std::optional<RepairOutcome> repair{};
};

// The status to apply. `previous` is the status as stored (or null): a condition whose status did
// not change keeps its lastTransitionTime. `now` is RFC 3339, UTC. Same input, same bytes.
nlohmann::json BuildStatus(const InferenceService& service, const StatusFacts& facts,
                           const nlohmann::json& previous, const std::string& now);

// The condition of a type in a status, of ours or of any object; null where there is none.
const nlohmann::json* FindCondition(const nlohmann::json& status, std::string_view type);

// A pod that the webhook sized by other numbers than a new pod would get, or that it never saw.
bool IsOutdated(const PodFacts& pod, const StatusFacts& facts);

// A pod that should carry the size, and that the webhook never saw.
bool IsUnsized(const PodFacts& pod);

// The first condition that says something is wrong with the InferenceService itself, as
// "TYPE is False (REASON)"; or "". Unsized pods, and replicas that are not ready yet, are not it.
std::string ErrorCondition(const InferenceService& service, const StatusFacts& facts);

}  // namespace shm
