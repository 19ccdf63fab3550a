#include "operator/repairer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/repair_probe.h"
#include "kube/timestamp.h"
#include "runtime/log.h"

namespace shm::controller {
namespace {

using kube::ErrorReason;
using nlohmann::json;

std::string Snake(const std::string& camel) {
  std::string snake;
  for (const char letter : camel) {
    const bool upper = letter >= 'A' && letter <= 'Z';
    if (upper && !snake.empty()) snake += '_';
    snake += static_cast<char>(upper ? letter - 'A' + 'a' : letter);
  }
  return snake;
}

// Whether the status says it already: an Event once, and not again for each time that it is tried.
bool Said(const json& status, const RepairOutcome& outcome) {
  const json* repaired = FindCondition(status, "Repaired");
  return repaired && repaired->value("reason", "") == outcome.reason &&
         repaired->value("message", "") == outcome.message;
}

}  // namespace

Repairer::Repairer(kube::Api& api, kube::EventRecorder& events, kube::Clock& clock,
                   OnAttempt on_attempt, RepairRules rules)
    : api_(api),
      events_(events),
      clock_(clock),
      on_attempt_(std::move(on_attempt)),
      rules_(rules) {}

Repairer::Step Repairer::Advance(const ServiceRecord& record, const json& said,
                                 const StatusFacts& status, int going) {
  RepairFacts facts;
  facts.going = going;
  facts.now_ms = kube::MonotonicMs(clock_);
  facts.young_since = kube::Time(clock_.WallNow() - std::chrono::milliseconds(rules_.replacement));
  RepairHistory history;
  {
    MutexLock lock(mutex_);
    history = histories_[KeyOf(record)];
  }
  UpdateHistory(record.service, status, facts.now_ms, history);
  const RepairPlan plan = Plan(record, status, facts, history);
  Step step{{plan.state == RepairState::kNoDrift, plan.reason, plan.message}, plan.again_ms};
  if (plan.pod) {
    const Attempt attempt =
        Try({record.service.namespace_name, plan.pod->name}, plan.pod->uid, status.size);
    if (attempt.result != Attempt::Result::kEvicted) Return(facts.now_ms);
    step = Record(record, status, *plan.pod, attempt, history);
  } else if (plan.state == RepairState::kSuccessorUnsized) {
    step.event = kube::EventType::kWarning;
  }
  if (step.event && !Said(said, step.outcome)) {
    events_.Record(ReferenceTo(record), *step.event, step.outcome.reason, step.outcome.message);
  }
  MutexLock lock(mutex_);
  histories_[KeyOf(record)] = std::move(history);
  return step;
}

// The bound of all InferenceServices holds between threads: what is to be tried counts from here.
RepairPlan Repairer::Plan(const ServiceRecord& record, const StatusFacts& status, RepairFacts facts,
                          const RepairHistory& history) {
  MutexLock lock(mutex_);
  const std::int64_t since = facts.now_ms - rules_.window;
  evictions_ms_.erase(evictions_ms_.begin(),
                      std::upper_bound(evictions_ms_.begin(), evictions_ms_.end(), since));
  facts.evictions_ms = evictions_ms_;
  RepairPlan plan = PlanRepair(record.service, status, facts, history, rules_);
  if (plan.pod) {
    evictions_ms_.insert(std::upper_bound(evictions_ms_.begin(), evictions_ms_.end(), facts.now_ms),
                         facts.now_ms);
  }
  return plan;
}

void Repairer::Return(std::int64_t slot) {
  MutexLock lock(mutex_);
  const auto found = std::find(evictions_ms_.begin(), evictions_ms_.end(), slot);
  if (found != evictions_ms_.end()) evictions_ms_.erase(found);
}

// Neither gone nor going, as far as can be told: in doubt it is not.
bool Repairer::IsThere(const kube::ObjectKey& pod, const std::string& uid) {
  const auto live = api_.Get(kube::Pods(), pod);
  return live.ok() && live->value("/metadata/uid"_json_pointer, "") == uid &&
         !live->contains("/metadata/deletionTimestamp"_json_pointer);
}

// Whether the pod's successor would be sized, or why the pod is not to be evicted.
Repairer::Attempt Repairer::Probe(const kube::ObjectKey& pod, const std::string& uid,
                                  std::optional<std::int64_t> size) {
  using Result = Attempt::Result;
  const auto live = api_.Get(kube::Pods(), pod);
  if (live.Is(ErrorReason::kNotFound)) return {Result::kGone, "", ""};
  if (!live.ok()) return {Result::kRefused, "PodUnreadable", live.error().ToString()};
  if (live->value("/metadata/uid"_json_pointer, "") != uid ||
      live->contains("/metadata/deletionTimestamp"_json_pointer)) {
    return {Result::kGone, "", ""};
  }
  kube::WriteOptions options;
  options.dry_run = true;
  // It comes from the API server, whatever version that is.
  options.field_validation = "Ignore";
  const auto copy = api_.Create(kube::Pods(), pod.namespace_name, BuildRepairProbe(*live), options);
  if (!copy.ok()) {
    return {Result::kRefused, "DryRunFailed",
            "a copy of it cannot be created in a dry run: " + copy.error().ToString()};
  }
  if (auto refusal = JudgeRepairProbe(*copy, size)) {
    return {Result::kRefused, refusal->reason, refusal->message};
  }
  return {Result::kSized, "", "", copy->value("/metadata/creationTimestamp"_json_pointer, "")};
}

Repairer::Attempt Repairer::Try(const kube::ObjectKey& pod, const std::string& uid,
                                std::optional<std::int64_t> size) {
  using Result = Attempt::Result;
  Attempt attempt = Probe(pod, uid, size);
  if (attempt.result != Result::kSized) return attempt;
  const auto evicted = api_.Evict(pod, uid, /*dry_run=*/false);
  attempt.result = Result::kEvicted;
  if (evicted.ok()) return attempt;
  switch (evicted.error().reason) {
    case ErrorReason::kNotFound:
    case ErrorReason::kConflict:  // of another uid
      return {Result::kGone, "", ""};
    case ErrorReason::kTooManyRequests:
      return {Result::kRefused, "DisruptionBudget",
              "the API server does not evict it now: " + evicted.error().message};
    default:
      break;
  }
  // It may be going all the same.
  if (evicted.error().OutcomeUnknown() && !IsThere(pod, uid)) return attempt;
  return {Result::kRefused, "EvictionFailed", evicted.error().ToString()};
}

Repairer::Step Repairer::Record(const ServiceRecord& record, const StatusFacts& status,
                                const PodFacts& pod, const Attempt& attempt,
                                RepairHistory& history) {
  const std::int64_t now = kube::MonotonicMs(clock_);
  const std::string service = KeyOf(record).ToString();
  if (attempt.result == Attempt::Result::kGone) {
    on_attempt_("gone");
    return {{false, "Replacing", "pod " + pod.name + " is gone"}, rules_.settle, true};
  }
  if (attempt.result == Attempt::Result::kRefused) {
    on_attempt_(Snake(attempt.reason));
    const std::string message = "pod " + pod.name + " is not evicted: " + attempt.message;
    RecordRefusal(pod, attempt.reason, message, now, rules_, history);
    const RepairOutcome outcome{false, attempt.reason, message};
    runtime::LogInfo("pod not evicted", {{"service", service}, {"reason", attempt.reason}});
    return {outcome, history.retry_ms - now, false, kube::EventType::kWarning};
  }
  on_attempt_("evicted");
  RecordEviction(pod, status, now, attempt.probed, history);
  const RepairOutcome outcome{false, "Evicted",
                              "evicted pod " + pod.name +
                                  (pod.injected ? ", whose /dev/shm was too small"
                                                : ", which started without the webhook")};
  runtime::LogInfo("pod evicted", {{"service", service}, {"pod", pod.name}});
  return {outcome, std::min(rules_.look, rules_.settle), true, kube::EventType::kNormal};
}

void Repairer::Forget(const kube::ObjectKey& service) {
  MutexLock lock(mutex_);
  histories_.erase(service);
}

}  // namespace shm::controller
