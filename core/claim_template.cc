#include "core/claim_template.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/gpu_containers.h"

namespace shm {
namespace {

using Json = nlohmann::json;

// A member; null where there is none.
const Json& Member(const Json& object, const char* name) {
  static const Json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

std::string Text(const Json& value) { return value.is_string() ? value.get<std::string>() : ""; }

// ExactCount is the default mode, 1 the default count; clients must not guess at modes that come
// later.
std::optional<int> CountOf(const Json& request) {
  const std::string mode = Text(Member(request, "allocationMode"));
  if (!mode.empty() && mode != "ExactCount") return std::nullopt;
  const Json& count = Member(request, "count");
  if (count.is_null()) return 1;
  if (!count.is_number_integer()) return std::nullopt;
  const std::int64_t devices = count.is_number_unsigned() && count.get<std::uint64_t>() > kMostGpus
                                   ? kMostGpus
                                   : count.get<std::int64_t>();
  if (devices < 0) return std::nullopt;
  return std::max(static_cast<int>(std::min<std::int64_t>(devices, kMostGpus)), 1);
}

// GPUs of one request for devices of one class.
std::optional<int> GpusOfClass(const Json& request, const DeviceClasses& gpu_classes) {
  const std::string name = Text(Member(request, "deviceClassName"));
  if (name.empty()) return std::nullopt;
  if (std::find(gpu_classes.begin(), gpu_classes.end(), name) == gpu_classes.end()) return 0;
  // For watching over devices that are somebody else's.
  if (Member(request, "adminAccess") == true) return std::nullopt;
  return CountOf(request);
}

// The scheduler picks one of the list: known only where they agree.
std::optional<int> GpusOfAny(const Json& list, const DeviceClasses& gpu_classes) {
  if (!list.is_array() || list.empty()) return std::nullopt;
  const auto first = GpusOfClass(list.front(), gpu_classes);
  for (const Json& choice : list) {
    if (GpusOfClass(choice, gpu_classes) != first) return std::nullopt;
  }
  return first;
}

std::optional<int> GpusOfRequest(const Json& request, const DeviceClasses& gpu_classes) {
  if (const Json& exactly = Member(request, "exactly"); !exactly.is_null()) {
    return GpusOfClass(exactly, gpu_classes);
  }
  if (const Json& list = Member(request, "firstAvailable"); !list.is_null()) {
    return GpusOfAny(list, gpu_classes);
  }
  return GpusOfClass(request, gpu_classes);
}

}  // namespace

DeviceClasses KnownGpuClasses() {
  return {"gpu.nvidia.com", "mig.nvidia.com", "gpu.amd.com", "gpu.intel.com", "gaudi.intel.com"};
}

Result<ClaimTemplate> ParseClaimTemplate(const Json& object, const DeviceClasses& gpu_classes) {
  ClaimTemplate parsed;
  parsed.name = Text(Member(Member(object, "metadata"), "name"));
  if (parsed.name.empty()) return Error{"metadata.name", "is missing"};
  const Json& requests =
      Member(Member(Member(Member(object, "spec"), "spec"), "devices"), "requests");
  if (requests.is_null()) return parsed;  // nothing is asked for
  const std::string field = "spec.spec.devices.requests";
  if (!requests.is_array()) return Error{field, "must be a list"};
  for (const Json& request : requests) {
    const std::string name = Text(Member(request, "name"));
    if (name.empty()) return Error{field, "holds one without a name"};
    parsed.gpus[name] = GpusOfRequest(request, gpu_classes);
  }
  return parsed;
}

}  // namespace shm
