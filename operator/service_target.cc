#include "operator/service_target.h"

#include <nlohmann/json.hpp>
#include <string>

namespace shm::controller {
namespace {

using nlohmann::json;

std::optional<std::uint16_t> PortOf(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto port = value.get<std::int64_t>();
  if (port < 1 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::optional<std::uint16_t> NamedPort(const json& pod, const std::string& name) {
  for (const json& container : pod.value("/spec/containers"_json_pointer, json::array())) {
    for (const json& port : container.value("ports", json::array())) {
      if (port.value("name", "") == name) return PortOf(port.value("containerPort", json()));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string SelectorText(const json& service) {
  // By name: in C++20 what items() points to would be gone before the first round.
  const json selector = service.value("/spec/selector"_json_pointer, json::object());
  std::string text;
  for (const auto& [key, value] : selector.items()) {
    text += (text.empty() ? "" : ",") + key + "=" + value.get<std::string>();
  }
  return text;
}

std::optional<std::uint16_t> TargetPort(const json& service, const json& pod) {
  const json ports = service.value("/spec/ports"_json_pointer, json::array());
  if (ports.empty()) return std::nullopt;
  const json target = ports.front().value("targetPort", ports.front().value("port", json()));
  return target.is_string() ? NamedPort(pod, target.get<std::string>()) : PortOf(target);
}

}  // namespace shm::controller
