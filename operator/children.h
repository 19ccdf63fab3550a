// Brings the Deployment and the Service of an InferenceService with a template to what is wanted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/mutex.h"
#include "core/owned_fields.h"
#include "core/service_sizing.h"
#include "core/service_status.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "kube/event_recorder.h"
#include "operator/world.h"

namespace shm::controller {

// By server-side apply, and only where what we have applied is not what is wanted. Objects of their
// names that this InferenceService does not control are never taken over. Thread-safe for different
// InferenceServices.
class Children {
 public:
  // All must outlive it.
  Children(kube::Api& api, const World& world, kube::EventRecorder& events, kube::Clock& clock);

  struct Step {
    ChildrenOutcome outcome;                           // for the status
    std::optional<kube::ApiError> error{};             // to be tried again
    std::optional<std::chrono::milliseconds> again{};  // look again after this long
  };

  // `status`: as it was written last, or null; what it says already is no new Event.
  Step Advance(const ServiceRecord& record, const nlohmann::json& spec,
               const nlohmann::json& status, const ServiceSizing& sizing) SHM_EXCLUDES(mutex_);

  // The InferenceService is gone.
  void Forget(const kube::ObjectKey& service) SHM_EXCLUDES(mutex_);

 private:
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
    FieldsDigest refused = 0;        // the Deployment's configuration that the API server refused,
    std::string refusal;             // its words,
    std::int64_t refused_at_ms = 0;  // and when; monotonic
  };

  Step Apply(const ServiceRecord& record, const nlohmann::json& spec, const nlohmann::json& status,
             const ServiceSizing& sizing, Applied& applied);
  // Nothing where it is as wanted.
  std::optional<Step> ApplyDeployment(const ServiceRecord& record, const nlohmann::json& status,
                                      const nlohmann::json& wanted, Applied& applied);
  std::optional<Step> ApplyService(const ServiceRecord& record, const nlohmann::json& status,
                                   const nlohmann::json& wanted, AppliedChild& applied);
  Step Refused(const ServiceRecord& record, FieldsDigest wanted, const std::string& words,
               Applied& applied);
  Step NameTaken(const ServiceRecord& record, const nlohmann::json& status,
                 const kube::ResourceType& type);
  bool IsSettled(const ChildRecord* live, FieldsDigest wanted, AppliedChild& applied) const;
  AppliedChild Remember(FieldsDigest wanted, const nlohmann::json& result,
                        const ChildRecord* live) const;
  kube::ApiResult<nlohmann::json> ApplyChild(const ServiceRecord& record,
                                             const kube::ResourceType& type,
                                             const ChildRecord* live, const nlohmann::json& wanted);
  kube::ApiResult<nlohmann::json> ApplyOver(const kube::ObjectKey& key,
                                            const kube::ResourceType& type, const std::string& uid,
                                            nlohmann::json wanted);
  Stamp StampFor(const ServiceRecord& record, const ServiceSizing& sizing) const;

  kube::Api& api_;
  const World& world_;
  kube::EventRecorder& events_;
  kube::Clock& clock_;
  Mutex mutex_;
  std::map<kube::ObjectKey, Applied> applied_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::controller
