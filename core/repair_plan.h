// Which pod of an InferenceService is to be evicted next, so that its successor is sized.
//
// Evicting the wrong pod stops a model, and evicting one whose successor is no better stops it
// again and again. So one pod of an InferenceService goes at a time, the next only after the
// successor is there, sized and ready, or has had its time; and never more than a few in all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/backoff.h"
#include "core/inference_service.h"
#include "core/service_status.h"

namespace shm {

enum class RepairState {
  kNoDrift,           // every pod is as it should be
  kHeld,              // the InferenceService itself has an error
  kReplacing,         // a pod went, or comes: its successor is not there, or not ready
  kSuccessorUnsized,  // the last eviction did not help; there is none after it
  kNotReplaceable,    // nothing would make others in place of these pods
  kSettling,          // drift that was seen a moment ago may be a cache that lags
  kRefused,           // the last one tried was refused, a moment ago
  kRateLimited,       // too many were evicted lately, in all
  kEvict,             // the pod to try
};

// The name as users see it in the reason of condition Repaired.
const char* RepairStateName(RepairState state);

// All in milliseconds.
struct RepairRules {
  std::int64_t settle = 10'000;        // how long drift must have been seen
  std::int64_t replacement = 900'000;  // how long a successor may take to become ready
  std::int64_t window = 600'000;       // in which at most this many are evicted in all:
  int evictions = 10;
  std::int64_t look = 30'000;  // when to look again at what no watch tells
  Backoff refused = {.base_ms = 30'000, .max_ms = 600'000, .factor = 2.0, .jitter = 0.0};
};

// What is remembered of one InferenceService: lost with the process, and then begun anew. Times are
// milliseconds of one monotonic clock.
struct RepairHistory {
  std::int64_t generation = 0;  // of the spec that this is about
  std::optional<std::int64_t> drift_since_ms;
  std::optional<std::int64_t> evicted_ms;  // when the last pod went,
  std::string evicted;                     // its name,
  std::string evicted_at;       // the API server's time, RFC 3339: its successors are younger, and
  std::set<std::string> known;  // the uids of all pods at that time
  // Since the last pod went: how often one was refused, the last time why, and until when no other
  // is tried. What stands in the way of one pod mostly does in the way of all.
  int refused = 0;
  std::int64_t retry_ms = 0;
  std::string reason;  // one word, of the condition
  std::string message;
  std::map<std::string, int> refusals;  // by the pod's uid
};

struct RepairFacts {
  int going = 0;            // its pods that are being deleted; StatusFacts has none of them
  std::string young_since;  // RFC 3339: a pod created later may still become ready
  std::vector<std::int64_t> evictions_ms;  // of all InferenceServices, ascending
  std::int64_t now_ms = 0;
};

struct RepairPlan {
  RepairState state = RepairState::kNoDrift;
  std::optional<PodFacts> pod;  // of kEvict
  std::optional<std::int64_t>
      again_ms;        // look again after this long; unset: when something changes
  std::string reason;  // of condition Repaired
  std::string message;
};

// A pod that its InferenceService would have replaced: an unsized one. One that is sized by other
// numbers than hold now is counted as outdated and stays: it may be newer arithmetic of ours that
// says so, and an upgrade of the operator never restarts a model.
bool NeedsRepair(const PodFacts& pod);

// Pure. `history` is of the same generation as `service`.
RepairPlan PlanRepair(const InferenceService& service, const StatusFacts& status,
                      const RepairFacts& facts, const RepairHistory& history,
                      const RepairRules& rules);

// Records in `history` that there is drift, or none; forgets an eviction whose successor is sized
// and ready, what is about pods that are gone, and all of it where the generation is another.
void UpdateHistory(const InferenceService& service, const StatusFacts& status, std::int64_t now_ms,
                   RepairHistory& history);

// Records that `pod` was evicted, or refused.
void RecordEviction(const PodFacts& pod, const StatusFacts& status, std::int64_t now_ms,
                    const std::string& evicted_at, RepairHistory& history);
void RecordRefusal(const PodFacts& pod, const std::string& reason, const std::string& message,
                   std::int64_t now_ms, const RepairRules& rules, RepairHistory& history);

}  // namespace shm
