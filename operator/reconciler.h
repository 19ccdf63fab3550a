// Brings the children and the status of one InferenceService to what is wanted.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/defaults.h"
#include "core/mutex.h"
#include "core/service_sizing.h"
#include "core/service_status.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "kube/event_recorder.h"
#include "operator/children.h"
#include "operator/repairer.h"
#include "operator/unwatched_pods.h"
#include "operator/world.h"

namespace shm::controller {

// Thread-safe for different keys; the work queue never gives one key to two threads.
class Reconciler {
 public:
  Reconciler(kube::Api& api, const World& world, kube::EventRecorder& events,
             InstallationDefaults defaults, kube::Clock& clock, Repairer::OnAttempt on_attempt);

  struct Outcome {
    std::optional<kube::ApiError> error;             // to be tried again
    std::optional<std::chrono::milliseconds> again;  // else after this long; unset: on a change
  };
  Outcome Reconcile(const kube::ObjectKey& key);

 private:
  Outcome ReconcileUnguarded(const kube::ObjectKey& key);

  // A status as it was written last, until a watch shows a change.
  struct WrittenStatus {
    std::string status;   // compact JSON
    std::string read_at;  // resourceVersion of the InferenceService that it was made from
  };
  // What a reconciliation works on.
  struct Subject {
    const ServiceRecord& record;
    nlohmann::json spec;
    nlohmann::json status;  // as it was written last
  };
  // The facts, and how many of its pods are being deleted.
  std::pair<StatusFacts, int> Observe(const ServiceRecord& record);
  void Repair(const Subject& subject, StatusFacts& facts, int going, Outcome& outcome);
  void TellOfDrift(const Subject& subject, const StatusFacts& facts);
  std::string OlderOverlap(const InferenceService& service) const;
  nlohmann::json LastStatus(const ServiceRecord& record) SHM_EXCLUDES(mutex_);
  std::optional<kube::ApiError> WriteStatus(const Subject& subject, const StatusFacts& facts)
      SHM_EXCLUDES(mutex_);
  void Forget(const kube::ObjectKey& key) SHM_EXCLUDES(mutex_);

  kube::Api& api_;
  const World& world_;
  kube::EventRecorder& events_;
  const InstallationDefaults defaults_;
  kube::Clock& clock_;
  Children children_;
  UnwatchedPods unwatched_pods_;
  Repairer repairer_;
  Mutex mutex_;
  std::map<kube::ObjectKey, WrittenStatus> written_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::controller
