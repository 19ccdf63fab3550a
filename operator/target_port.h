// Where a pod listens for a Service.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace shm::controller {

// The port of `pod` that the first port of `service` leads to: `targetPort` as a number, or as the
// name of a port of one of its containers; `port` where there is none. Nothing where the pod has no
// port of that name. Both are objects as the API server answers them.
std::optional<std::uint16_t> TargetPort(const nlohmann::json& service, const nlohmann::json& pod);

}  // namespace shm::controller
