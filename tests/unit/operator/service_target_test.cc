#include "operator/service_target.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm::controller {
namespace {

using nlohmann::json;

json ServiceOf(const char* port) {
  return {{"spec", {{"ports", json::array({json::parse(port)})}}}};
}

const json kPod = json::parse(R"({"spec": {"containers": [
    {"name": "sidecar"},
    {"name": "webhook", "ports": [{"name": "metrics", "containerPort": 8080},
                                  {"name": "https", "containerPort": 9443}]}]}})");

TEST_CASE("a Service leads to the port of a pod that its targetPort names or says") {
  struct Row {
    const char* port;
    std::optional<std::uint16_t> expected;
  };
  const Row rows[] = {
      {R"({"port": 443, "targetPort": "https"})", 9443},
      {R"({"port": 443, "targetPort": 8443})", 8443},
      {R"({"port": 443})", 443},
      {R"({"port": 443, "targetPort": "http"})", std::nullopt},
      {R"({"port": 443, "targetPort": 65536})", std::nullopt},
      {R"({})", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.port);
    CHECK(TargetPort(ServiceOf(row.port), kPod) == row.expected);
  }
}

TEST_CASE("a Service without ports, or a pod without containers, leads nowhere") {
  CHECK_FALSE(TargetPort(json::object(), kPod));
  CHECK_FALSE(TargetPort(ServiceOf(R"({"port": 443, "targetPort": "https"})"), json::object()));
}

TEST_CASE("a Service's selector becomes the text that a list of pods takes") {
  // As long as the chart's: short ones do not show what lies in freed memory.
  const json service = json::parse(R"({"spec": {"selector": {
      "app.kubernetes.io/component": "webhook", "app.kubernetes.io/instance": "shm-operator",
      "app.kubernetes.io/name": "shm-operator"}}})");
  CHECK(SelectorText(service) ==
        "app.kubernetes.io/component=webhook,app.kubernetes.io/instance=shm-operator,"
        "app.kubernetes.io/name=shm-operator");
  CHECK(SelectorText(json::parse(R"({"spec": {}})")).empty());
  CHECK(SelectorText(json::object()).empty());
}

}  // namespace
}  // namespace shm::controller
