// Pods that an InferenceService selects and that the webhook never saw: they carry none of our
// labels, and to follow every pod of a cluster for their sake would cost too much. So they are
// listed now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/mutex.h"
#include "kube/api.h"
#include "kube/clock.h"
#include "operator/records.h"
#include "operator/world.h"

namespace shm::controller {

// Thread-safe for different InferenceServices.
class UnwatchedPods {
 public:
  // How old a list may be.
  static constexpr std::chrono::milliseconds kInterval{60'000};

  // All must outlive it.
  UnwatchedPods(kube::Api& api, const World& world, kube::Clock& clock);

  // Adds them to `pods`, listing at most once per interval; what was found last where the list
  // fails. `services`: all of the namespace, since a pod belongs to the oldest that selects it.
  // Only for an InferenceService with a selector, in an enabled namespace.
  void AddTo(const InferenceService& service, ServicePods& pods) SHM_EXCLUDES(mutex_);

  // The next AddTo lists again.
  void Expire(const kube::ObjectKey& service) SHM_EXCLUDES(mutex_);
  // The InferenceService is gone.
  void Forget(const kube::ObjectKey& service) SHM_EXCLUDES(mutex_);

 private:
  using Found = std::vector<PodRecord>;
  struct Listed {
    std::int64_t until_ms = 0;
    std::shared_ptr<const Found> found = std::make_shared<const Found>();
  };

  kube::ApiResult<Found> List(const InferenceService& service) const;
  bool BelongsToOlder(const PodRecord& pod, const InferenceService& service) const;

  kube::Api& api_;
  const World& world_;
  kube::Clock& clock_;
  Mutex mutex_;
  std::map<kube::ObjectKey, Listed> listed_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::controller
