// What `shmctl scan` keeps of a pod that it reads: no document.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/pod_view.h"
#include "core/result.h"

namespace shm::cli {

struct ScannedPod {
  PodView view;
  std::string namespace_name;  // "default" where the object does not say
  std::string phase;           // as its status has it; empty: none yet
  std::string node;            // empty: not scheduled
};

// It ran to its end (phase Succeeded or Failed): its /dev/shm is gone.
bool HasEnded(const nlohmann::json& pod);

// An Error where core cannot read the pod; its field leads into the pod.
Result<ScannedPod> ReadScannedPod(const nlohmann::json& pod);

// "NAMESPACE/NAME" of an object, as far as it has them.
std::string NameOf(const nlohmann::json& object);

}  // namespace shm::cli
