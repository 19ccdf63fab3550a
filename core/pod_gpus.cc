#include "core/pod_gpus.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "core/names.h"

namespace shm {
namespace {

using Tie = ServiceMatch::Tie;

void NoteClaims(const ClaimGpus* claims, PodSizing* sizing) {
  std::string why;
  if (claims) {
    for (const std::string& clause : claims->unknown) why += (why.empty() ? " (" : "; ") + clause;
  }
  if (!why.empty()) why += ")";
  sizing->notes.push_back(
      {Reason::kResourceClaims,
       std::string("GPUs of resource claims cannot be counted here: say how many with ") +
           "gpuCount of an InferenceService or the annotation " + names::kGpuCountAnnotation +
           why});
}

// Where some of the pod's claims are counted and others cannot be: the numbers speak of both, so
// the others hold what is missing. Resources that a user wrote stay as they are.
void GiveUncounted(const ClaimGpus& claims, const std::optional<int>& wanted, PodSizing* sizing) {
  GpuContainers& gpus = sizing->gpus;
  const auto by_resources = [sizing](const ContainerView* container) {
    return GpusOf(*container, sizing->gpu_resource).value_or(0) > 0;
  };
  if (claims.unknown.empty() ||
      std::any_of(gpus.containers.begin(), gpus.containers.end(), by_resources)) {
    return;
  }
  if (!wanted) return NoteClaims(&claims, sizing);
  const int missing = *wanted - gpus.Total();
  if (missing <= 0 || !claims.unknown_in) return;
  const auto found = std::find(gpus.containers.begin(), gpus.containers.end(), claims.unknown_in);
  if (found == gpus.containers.end()) {
    gpus.containers.push_back(claims.unknown_in);
    gpus.gpus.push_back(missing);
  } else {
    gpus.gpus[static_cast<std::size_t>(found - gpus.containers.begin())] += missing;
  }
}

}  // namespace

bool UsesClaims(const PodView& pod) {
  const auto claims = [](const ContainerView& c) { return !c.resources.claims.empty(); };
  return std::any_of(pod.containers.begin(), pod.containers.end(), claims) ||
         std::any_of(pod.init_containers.begin(), pod.init_containers.end(), claims);
}

void GiveGpus(const PodView& pod, const ServiceMatch& match, const ClaimGpus* claims,
              PodSizing* sizing) {
  if (sizing->gpus.containers.empty()) return;
  std::optional<int> wanted;
  if (match.service || sizing->numbers.AnyOurs()) wanted = sizing->numbers.WantedGpus();
  if (sizing->gpus.requested) {
    if (claims) GiveUncounted(*claims, wanted, sizing);
    return;
  }
  const ContainerView& container = *sizing->gpus.containers.front();
  if (GpusOf(container, sizing->gpu_resource)) return;  // a user's own 0
  const bool uses_claims = UsesClaims(pod);
  if (!wanted) {
    const bool uncounted =
        claims ? !claims->unknown.empty() : uses_claims || !pod.resource_claims.empty();
    if (uncounted) NoteClaims(claims, sizing);
    return;
  }
  // Claims that are counted to hold none (network cards, say) are not in the way.
  const bool by_claims = claims ? !claims->unknown.empty() || !claims->gpus.empty() : uses_claims;
  sizing->gpus.gpus.front() = *wanted;
  sizing->add_gpus = !by_claims && (match.tie == Tie::kLabel ||
                                    (match.tie == Tie::kSelector && match.service->gpu_count));
}

}  // namespace shm
