#include "core/service_match.h"

#include <algorithm>
#include <tuple>

#include "core/names.h"

namespace shm {

bool IsOlder(const InferenceService& one, const InferenceService& other) {
  return std::tie(one.creation_timestamp, one.name) <
         std::tie(other.creation_timestamp, other.name);
}

ServiceMatch MatchService(const PodView& pod,
                          const std::vector<const InferenceService*>& services) {
  using Tie = ServiceMatch::Tie;
  if (const std::string* name = pod.Label(names::kServiceLabel)) {
    const auto found = std::find_if(services.begin(), services.end(),
                                    [name](const auto* service) { return service->name == *name; });
    if (found == services.end()) return {Tie::kUnknown, nullptr, {}};
    return {Tie::kLabel, *found, {}};
  }

  static const StringMap kNoLabels;
  StringMap with_coming;  // made only where there are any: a pod itself has them all
  if (!pod.coming_labels.empty()) {
    with_coming = pod.labels.value_or(kNoLabels);
    with_coming.insert(pod.coming_labels.begin(), pod.coming_labels.end());
  }
  const StringMap& labels = !with_coming.empty() ? with_coming
                            : pod.labels         ? *pod.labels
                                                 : kNoLabels;
  std::vector<const InferenceService*> matching;
  for (const InferenceService* service : services) {
    if (service->selector && !service->deleting && service->selector->Matches(labels)) {
      matching.push_back(service);
    }
  }
  if (matching.empty()) return {};
  std::sort(matching.begin(), matching.end(),
            [](const auto* one, const auto* other) { return IsOlder(*one, *other); });
  ServiceMatch match{Tie::kSelector, matching.front(), {}};
  if (matching.size() > 1) {
    match.notes.push_back({Reason::kSeveralServices, "InferenceServices " + matching[0]->name +
                                                         " and " + matching[1]->name +
                                                         " both select this pod; the older, " +
                                                         matching[0]->name + ", is used"});
  }
  return match;
}

}  // namespace shm
