// Evicts pods that were found without their shared memory, where spec.repair says Restart.
//
// core/repair_plan.h decides which and when, core/repair_probe.h whether the successor would be
// any better; this asks the API server, and evicts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/mutex.h"
#include "core/repair_plan.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "kube/event_recorder.h"
#include "operator/records.h"

namespace shm::controller {

// Thread-safe for different InferenceServices.
class Repairer {
 public:
  // Called with how an attempt ended: "evicted", "gone", or a refusal's name in lower case with
  // underscores. A closed set.
  using OnAttempt = std::function<void(const std::string& outcome)>;

  // All but `rules` must outlive it.
  Repairer(kube::Api& api, kube::EventRecorder& events, kube::Clock& clock, OnAttempt on_attempt,
           RepairRules rules = {});

  struct Step {
    RepairOutcome outcome;                 // for the status
    std::optional<std::int64_t> again_ms;  // look again after this long
    bool evicted = false;
    std::optional<kube::EventType> event{};  // the outcome is worth one of this type
  };

  // At most one eviction. `said`: the status as it was written last, or null; what it says already
  // is no new Event. `going`: its pods that are being deleted.
  Step Advance(const ServiceRecord& record, const nlohmann::json& said, const StatusFacts& status,
               int going) SHM_EXCLUDES(mutex_);

  // The InferenceService is gone, or wants no repair.
  void Forget(const kube::ObjectKey& service) SHM_EXCLUDES(mutex_);

 private:
  // How one attempt ended.
  struct Attempt {
    enum class Result { kSized, kEvicted, kGone, kRefused };
    Result result = Result::kSized;
    std::string reason;  // of a refusal
    std::string message;
    std::string probed{};  // of kSized and kEvicted: when, by the API server's clock; RFC 3339
  };

  Attempt Try(const kube::ObjectKey& pod, const std::string& uid, std::optional<std::int64_t> size);
  Attempt Probe(const kube::ObjectKey& pod, const std::string& uid,
                std::optional<std::int64_t> size);
  bool IsThere(const kube::ObjectKey& pod, const std::string& uid);
  Step Record(const ServiceRecord& record, const StatusFacts& status, const PodFacts& pod,
              const Attempt& attempt, RepairHistory& history);
  RepairPlan Plan(const ServiceRecord& record, const StatusFacts& status, RepairFacts facts,
                  const RepairHistory& history) SHM_EXCLUDES(mutex_);
  void Return(std::int64_t slot) SHM_EXCLUDES(mutex_);

  kube::Api& api_;
  kube::EventRecorder& events_;
  kube::Clock& clock_;
  const OnAttempt on_attempt_;
  const RepairRules rules_;
  Mutex mutex_;
  std::map<kube::ObjectKey, RepairHistory> histories_ SHM_GUARDED_BY(mutex_);
  std::vector<std::int64_t> evictions_ms_ SHM_GUARDED_BY(mutex_);  // ascending; attempts too
};

}  // namespace shm::controller
