// What a Service leads to. Objects are as the API server answers them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace shm::controller {

// Its selector as the text of a label selector: "app=a,tier=b". Empty where it selects nothing.
std::string SelectorText(const nlohmann::json& service);

// The port of `pod` that the first port of `service` leads to: `targetPort` as a number, or as the
// name of a port of one of its containers; `port` where there is none. Nothing where the pod has no
// port of that name.
std::optional<std::uint16_t> TargetPort(const nlohmann::json& service, const nlohmann::json& pod);

}  // namespace shm::controller
