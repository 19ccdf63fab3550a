// What a ResourceClaimTemplate says of GPUs: Dynamic Resource Allocation, the group
// resource.k8s.io.
//
// Read are the shapes of v1 and v1beta2 (requests[].exactly, requests[].firstAvailable) and of
// v1beta1 (what `exactly` holds stands in the request itself), as k8s.io/api says in
// resource/v1/types.go and resource/v1beta1/types.go.
//
// Pure; safe from any thread.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace shm {

struct ClaimTemplate {
  std::string name;
  // GPUs of each request, 0 to 1024; nothing where the template does not tell: all devices of a
  // node, the first that is available of several numbers, administrative access, or a mode that is
  // not known here.
  std::map<std::string, std::optional<int>> gpus;
  friend bool operator==(const ClaimTemplate&, const ClaimTemplate&) = default;
};

// DeviceClasses of GPUs. Devices of other classes are none.
using DeviceClasses = std::vector<std::string>;

// The classes that drivers install for what containers compute with: NVIDIA/k8s-dra-driver-gpu
// (not its vfio.gpu.nvidia.com, for virtual machines), ROCm/k8s-gpu-dra-driver and
// intel/intel-resource-drivers-for-kubernetes.
DeviceClasses KnownGpuClasses();

// From the object as the API server sends it. An Error names the field that has no name or another
// type than the API's.
Result<ClaimTemplate> ParseClaimTemplate(const nlohmann::json& object,
                                         const DeviceClasses& gpu_classes);

}  // namespace shm
