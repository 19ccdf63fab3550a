#include "core/repair_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace shm {
namespace {

using Pods = std::vector<const PodFacts*>;

Pods Drifted(const StatusFacts& status) {
  Pods pods;
  for (const PodFacts& pod : status.pods) {
    if (NeedsRepair(pod)) pods.push_back(&pod);
  }
  return pods;
}

std::string Count(std::size_t pods) {
  return std::to_string(pods) + (pods == 1 ? " pod" : " pods");
}

RepairPlan Wait(RepairState state, std::optional<std::int64_t> again_ms, std::string message) {
  return {state, std::nullopt, again_ms, RepairStateName(state), std::move(message)};
}

// The pods that came after the last eviction, whoever made them.
Pods Successors(const StatusFacts& status, const RepairHistory& history) {
  Pods pods;
  if (!history.evicted_ms) return pods;
  for (const PodFacts& pod : status.pods) {
    // One that was there may not have been known: not all pods are watched.
    const bool younger = pod.created >= history.evicted_at;
    if (younger && history.known.count(pod.uid) == 0) pods.push_back(&pod);
  }
  return pods;
}

bool Served(const Pods& successors) {
  return !successors.empty() &&
         std::all_of(successors.begin(), successors.end(),
                     [](const PodFacts* pod) { return pod->ready && !IsUnsized(*pod); });
}

// What the last eviction came to; nothing where it is over.
std::optional<RepairPlan> JudgeSuccessor(const StatusFacts& status, const RepairFacts& facts,
                                         const RepairHistory& history, const RepairRules& rules) {
  if (!history.evicted_ms) return std::nullopt;
  const Pods successors = Successors(status, history);
  for (const PodFacts* pod : successors) {
    if (!IsUnsized(*pod)) continue;
    return Wait(RepairState::kSuccessorUnsized, std::nullopt,
                "pod " + history.evicted + " was evicted, and pod " + pod->name +
                    ", which came after it, is not sized either: no other is evicted until the "
                    "spec changes");
  }
  const std::int64_t left = *history.evicted_ms + rules.replacement - facts.now_ms;
  if (Served(successors) || left <= 0) return std::nullopt;
  return Wait(RepairState::kReplacing, std::min(left, rules.look),
              "pod " + history.evicted + " was evicted; its successor is " +
                  (successors.empty() ? "not there yet" : "not ready yet"));
}

// What no memory tells, but the cluster does: a pod that goes, or one that starts.
std::optional<RepairPlan> JudgeMovement(const StatusFacts& status, const RepairFacts& facts,
                                        const RepairRules& rules) {
  if (facts.going > 0) {
    return Wait(RepairState::kReplacing, rules.look,
                Count(static_cast<std::size_t>(facts.going)) + " being deleted");
  }
  for (const PodFacts& pod : status.pods) {
    if (pod.injected && !pod.ready && pod.created > facts.young_since) {
      return Wait(RepairState::kReplacing, rules.look, "pod " + pod.name + " is not ready yet");
    }
  }
  return std::nullopt;
}

std::optional<RepairPlan> JudgeRate(const RepairFacts& facts, const RepairRules& rules) {
  const std::int64_t since = facts.now_ms - rules.window;
  const auto first = std::upper_bound(facts.evictions_ms.begin(), facts.evictions_ms.end(), since);
  if (facts.evictions_ms.end() - first < rules.evictions) return std::nullopt;
  return Wait(RepairState::kRateLimited, *first - since,
              "many pods of the cluster were evicted lately");
}

// One that was not refused yet before one that was; pods without any size first; of these, one
// that serves nobody; then the oldest.
const PodFacts& Choose(const Pods& pods, const RepairHistory& history) {
  const auto refusals = [&history](const PodFacts& pod) {
    const auto found = history.refusals.find(pod.uid);
    return found == history.refusals.end() ? 0 : found->second;
  };
  const auto before = [&refusals](const PodFacts* a, const PodFacts* b) {
    const int refused_a = refusals(*a);
    const int refused_b = refusals(*b);
    return std::tie(refused_a, a->injected, a->ready, a->created, a->name) <
           std::tie(refused_b, b->injected, b->ready, b->created, b->name);
  };
  return **std::min_element(pods.begin(), pods.end(), before);
}

}  // namespace

const char* RepairStateName(RepairState state) {
  switch (state) {
    case RepairState::kNoDrift:
      return "NoDrift";
    case RepairState::kHeld:
      return "Held";
    case RepairState::kReplacing:
      return "Replacing";
    case RepairState::kSuccessorUnsized:
      return "SuccessorUnsized";
    case RepairState::kNotReplaceable:
      return "NotReplaceable";
    case RepairState::kSettling:
      return "Settling";
    case RepairState::kRefused:
      return "Refused";
    case RepairState::kRateLimited:
      return "RateLimited";
    case RepairState::kEvict:
      return "Evicting";
  }
  return "Unknown";
}

bool NeedsRepair(const PodFacts& pod) { return !pod.opted_out && IsUnsized(pod); }

RepairPlan PlanRepair(const InferenceService& service, const StatusFacts& status,
                      const RepairFacts& facts, const RepairHistory& history,
                      const RepairRules& rules) {
  Pods pods = Drifted(status);
  if (pods.empty()) return Wait(RepairState::kNoDrift, std::nullopt, "every pod is sized");
  if (const std::string error = ErrorCondition(service, status); !error.empty()) {
    return Wait(RepairState::kHeld, std::nullopt, "no pod is evicted while " + error);
  }
  if (auto plan = JudgeSuccessor(status, facts, history, rules)) return *std::move(plan);
  if (auto plan = JudgeMovement(status, facts, rules)) return *std::move(plan);

  const std::size_t drifted = pods.size();
  pods.erase(std::remove_if(pods.begin(), pods.end(),
                            [](const PodFacts* pod) { return !pod->replaceable; }),
             pods.end());
  if (pods.empty()) {
    return Wait(RepairState::kNotReplaceable, std::nullopt,
                Count(drifted) + " to be replaced, but no controller would make another");
  }
  const std::int64_t settled = history.drift_since_ms.value_or(facts.now_ms) + rules.settle;
  if (facts.now_ms < settled) {
    return Wait(RepairState::kSettling, settled - facts.now_ms,
                Count(pods.size()) + " to be replaced");
  }
  if (facts.now_ms < history.retry_ms) {
    return {RepairState::kRefused, std::nullopt, history.retry_ms - facts.now_ms, history.reason,
            history.message};
  }
  if (auto plan = JudgeRate(facts, rules)) return *std::move(plan);
  const PodFacts& pod = Choose(pods, history);
  return {RepairState::kEvict, pod, std::nullopt, RepairStateName(RepairState::kEvict),
          "pod " + pod.name + " is next"};
}

void UpdateHistory(const InferenceService& service, const StatusFacts& status, std::int64_t now_ms,
                   RepairHistory& history) {
  if (history.generation != service.generation) history = {};
  history.generation = service.generation;
  // Only a success ends an eviction: whatever comes unsized before that says it did not help.
  if (Served(Successors(status, history))) {
    history.evicted_ms.reset();
    history.known.clear();
  }
  const bool drift = !Drifted(status).empty();
  if (!drift) history.drift_since_ms.reset();
  if (drift && !history.drift_since_ms) history.drift_since_ms = now_ms;
  for (auto refusal = history.refusals.begin(); refusal != history.refusals.end();) {
    const bool there = std::any_of(status.pods.begin(), status.pods.end(),
                                   [&](const auto& pod) { return pod.uid == refusal->first; });
    refusal = there ? std::next(refusal) : history.refusals.erase(refusal);
  }
}

void RecordEviction(const PodFacts& pod, const StatusFacts& status, std::int64_t now_ms,
                    const std::string& evicted_at, RepairHistory& history) {
  history.evicted_ms = now_ms;
  history.evicted = pod.name;
  history.evicted_at = evicted_at;
  history.known.clear();
  for (const PodFacts& each : status.pods) history.known.insert(each.uid);
  history.refused = 0;
}

void RecordRefusal(const PodFacts& pod, const std::string& reason, const std::string& message,
                   std::int64_t now_ms, const RepairRules& rules, RepairHistory& history) {
  ++history.refusals[pod.uid];
  ++history.refused;
  history.retry_ms = now_ms + BackoffDelayMs(rules.refused, history.refused, 0);
  history.reason = reason;
  history.message = message;
}

}  // namespace shm
