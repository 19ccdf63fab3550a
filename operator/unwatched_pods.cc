#include "operator/unwatched_pods.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "core/children.h"
#include "core/names.h"
#include "core/service_match.h"
#include "runtime/log.h"

namespace shm::controller {
namespace {

// What the watches of World leave out, and the webhook would not.
std::string LabelSelectorOf(const InferenceService& service) {
  const std::string own = SelectorText(service);
  return own + (own.empty() ? "" : ",") + "!" + names::kServiceLabel + "," + names::kInjectedLabel +
         "!=true," + names::kInjectLabel + "!=false";
}

}  // namespace

UnwatchedPods::UnwatchedPods(kube::Api& api, const World& world, kube::Clock& clock)
    : api_(api), world_(world), clock_(clock) {}

void UnwatchedPods::AddTo(const InferenceService& service, ServicePods& pods) {
  const kube::ObjectKey key{service.namespace_name, service.name};
  const std::int64_t now = kube::MonotonicMs(clock_);
  Listed listed;
  {
    MutexLock lock(mutex_);
    listed = listed_[key];
  }
  if (listed.until_ms <= now) {
    auto found = List(service);
    if (found.ok()) {
      listed.found = std::make_shared<const Found>(std::move(found).value());
    } else {
      runtime::LogWarn("pods cannot be listed",
                       {{"service", key.ToString()}, {"error", found.error().ToString()}});
    }
    listed.until_ms = now + kInterval.count();
    MutexLock lock(mutex_);
    listed_[key] = listed;
  }
  // A label may have been added since: then a watch shows the pod.
  std::set<std::string> watched;
  for (const PodFacts& pod : pods.pods) watched.insert(pod.uid);
  for (const PodRecord& pod : *listed.found) {
    if (watched.count(pod.facts.uid) > 0 || BelongsToOlder(pod, service)) continue;
    if (pod.going) ++pods.going;
    if (!pod.ended) pods.pods.push_back(pod.facts);
  }
}

void UnwatchedPods::Expire(const kube::ObjectKey& service) {
  MutexLock lock(mutex_);
  const auto found = listed_.find(service);
  if (found != listed_.end()) found->second.until_ms = 0;
}

void UnwatchedPods::Forget(const kube::ObjectKey& service) {
  MutexLock lock(mutex_);
  listed_.erase(service);
}

kube::ApiResult<UnwatchedPods::Found> UnwatchedPods::List(const InferenceService& service) const {
  Found pods;
  kube::ListOptions options;
  options.label_selector = LabelSelectorOf(service);
  const auto listed =
      api_.List(kube::Pods(), service.namespace_name, options, [&pods](nlohmann::json&& object) {
        auto pod = ParsePod(object);
        if (pod.ok()) pods.push_back(std::move(pod).value());
      });
  if (!listed.ok()) return listed.error();
  return pods;
}

// As core/service_match.h has it for new pods.
bool UnwatchedPods::BelongsToOlder(const PodRecord& pod, const InferenceService& service) const {
  for (const auto& record : world_.ServicesIn(service.namespace_name)) {
    const InferenceService& other = record->service;
    if (other.name == service.name || other.deleting || !other.selector) continue;
    if (IsOlder(other, service) && other.selector->Matches(pod.labels)) return true;
  }
  return false;
}

}  // namespace shm::controller
