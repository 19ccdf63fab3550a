// What becomes of a pod's /dev/shm, given what is mounted there already.
//
// Pure; safe from any thread. Pointers lead into the PodView.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/defaults.h"
#include "core/gpu_containers.h"
#include "core/pod_view.h"
#include "core/reason.h"

namespace shm {

struct VolumePlan {
  // Set: /dev/shm is left as it is, and why. The lists below are empty then.
  std::optional<Reason> left_alone;
  Notes notes;
  std::string volume;                            // the name of what is mounted
  bool add_volume = false;                       // it is not there yet
  std::vector<std::size_t> set_size;             // volumes whose sizeLimit is to be set
  bool was_unlimited = false;                    // one of them has none
  std::vector<const ContainerView*> mount_into;  // containers that get a mount of `volume`
  // Mounts that lose readOnly: container, and the mount's place in its list.
  std::vector<std::pair<const ContainerView*, std::size_t>> make_writable;
};

// `size`: bytes, above 0.
VolumePlan PlanVolume(const PodView& pod, const GpuContainers& gpus, MountScope scope,
                      std::int64_t size);

}  // namespace shm
