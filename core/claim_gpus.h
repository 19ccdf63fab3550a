// GPUs that the containers of a pod have by its claims (Dynamic Resource Allocation), as far as
// ResourceClaimTemplates tell.
//
// Pure; safe from any thread. Pointers lead into the PodView.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/claim_template.h"
#include "core/pod_view.h"

namespace shm {

// Of one namespace, in any order.
using ClaimTemplates = std::vector<const ClaimTemplate*>;

struct ClaimGpus {
  std::map<const ContainerView*, std::int64_t> gpus;  // of each container that has any
  // How much the sum over the containers that run is above what the claims hold: devices that
  // several of them share.
  std::int64_t shared = 0;
  // Why claims that containers have could not be counted, or not all of them, a clause each, 20 at
  // the most. What is not known counts as 0 above.
  std::vector<std::string> unknown;
  const ContainerView* unknown_in = nullptr;  // the first container that runs and has one of them

  std::int64_t Of(const ContainerView& container) const;
};

// A claim that no container has counts for nothing.
ClaimGpus CountClaims(const PodView& pod, const ClaimTemplates& templates);

}  // namespace shm
