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
#include "core/owned_fields.h"
#include "core/service_sizing.h"
#include "core/service_status.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "kube/event_recorder.h"
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

  // What was applied last since the start, for what the watch cannot tell: that it is late, or that
  // the API server stores the configuration otherwise than it was written.
  struct AppliedChild {
    FieldsDigest wanted = 0;  // 0: nothing was applied
    FieldsDigest owned = 0;   // as the API server answered
    std::string read_at;      // resourceVersion of the child that it was applied over
    bool seen = false;        // a watch has shown the child since
    std::int64_t at_ms = 0;   // monotonic
  };
  struct Applied {
    AppliedChild deployment;
    AppliedChild service;
    FieldsDigest refused = 0;  // the Deployment's configuration that the API server refused, and
    std::string refusal;       // its words
    std::int64_t refused_at_ms = 0;  // monotonic
    std::string status;          // as it was written last, until a watch shows a change, and the
    std::string status_read_at;  // resourceVersion of the InferenceService that it was made from
  };

  // What a reconciliation works on.
  struct Subject {
    const ServiceRecord& record;
    nlohmann::json spec;
    nlohmann::json status;  // as it was written last
  };
  ChildrenOutcome ReconcileChildren(const Subject& subject, const ServiceSizing& sizing,
                                    std::optional<kube::ApiError>& retry);
  std::optional<ChildrenOutcome> ApplyDeployment(const Subject& subject,
                                                 const nlohmann::json& wanted, Applied& applied,
                                                 std::optional<kube::ApiError>& retry);
  std::optional<ChildrenOutcome> ApplyService(const Subject& subject, const nlohmann::json& wanted,
                                              Applied& applied,
                                              std::optional<kube::ApiError>& retry);
  bool IsSettled(const ChildRecord* live, FieldsDigest wanted, AppliedChild& applied) const;
  AppliedChild Remember(FieldsDigest wanted, const nlohmann::json& result,
                        const ChildRecord* live) const;
  kube::ApiResult<nlohmann::json> ApplyChild(const ServiceRecord& record,
                                             const kube::ResourceType& type,
                                             const ChildRecord* live, const nlohmann::json& wanted);
  kube::ApiResult<nlohmann::json> ApplyOver(const kube::ObjectKey& key,
                                            const kube::ResourceType& type, const std::string& uid,
                                            nlohmann::json wanted);
  ChildrenOutcome NameTaken(const Subject& subject, const kube::ResourceType& type);
  Stamp StampFor(const ServiceRecord& record, const ServiceSizing& sizing) const;
  // The facts, and how many of its pods are being deleted.
  std::pair<StatusFacts, int> Observe(const ServiceRecord& record);
  void Repair(const Subject& subject, StatusFacts& facts, int going, Outcome& outcome);
  void TellOfDrift(const Subject& subject, const StatusFacts& facts);
  std::string OlderOverlap(const InferenceService& service) const;
  nlohmann::json LastStatus(const ServiceRecord& record) SHM_EXCLUDES(mutex_);
  std::optional<kube::ApiError> WriteStatus(const Subject& subject, const StatusFacts& facts);
  void Tell(const ServiceRecord& record, kube::EventType type, const char* reason,
            const std::string& message);

  Applied TakeApplied(const kube::ObjectKey& key) SHM_EXCLUDES(mutex_);
  void KeepApplied(const kube::ObjectKey& key, Applied applied) SHM_EXCLUDES(mutex_);
  void Forget(const kube::ObjectKey& key) SHM_EXCLUDES(mutex_);

  kube::Api& api_;
  const World& world_;
  kube::EventRecorder& events_;
  const InstallationDefaults defaults_;
  kube::Clock& clock_;
  UnwatchedPods unwatched_pods_;
  Repairer repairer_;
  Mutex mutex_;
  std::map<kube::ObjectKey, Applied> applied_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::controller
