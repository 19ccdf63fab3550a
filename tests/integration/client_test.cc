// How the programs speak with a real API server, as their metrics tell it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

std::string Metrics(int port) {
  return Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + "/metrics").output;
}

// The sum of a family's samples whose labels hold all of `labels`.
double Sum(const std::string& text, const std::string& name,
           const std::vector<std::string>& labels) {
  double sum = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name + "{", 0) != 0) continue;
    const bool all = std::all_of(labels.begin(), labels.end(), [&line](const std::string& label) {
      return line.find(label) != std::string::npos;
    });
    if (all) sum += std::stod(line.substr(line.rfind(' ')));
  }
  return sum;
}

}  // namespace

TEST_CASE("both programs get their lists as streams, none in pages") {
  Installation& installation = Installation::Get();
  const std::pair<std::string, std::string> listed[] = {
      {Metrics(installation.operator_health_port()), "shm_operator_lists_total"},
      {Metrics(installation.webhook_health_port()), "shm_webhook_lists_total"}};
  for (const auto& [text, family] : listed) {
    INFO(text << installation.Logs());
    CHECK(Sum(text, family, {"streamed=\"true\""}) >= 4);
    CHECK(Sum(text, family, {"streamed=\"false\""}) == 0);
  }
  // Events have no watch cache in the API server: their stream comes from etcd itself.
  CHECK(Sum(listed[0].first, listed[0].second, {"resource=\"events\"", "streamed=\"true\""}) == 1);
}

TEST_CASE("the operator's requests and its queue are counted under the names controllers use") {
  Installation& installation = Installation::Get();
  const int port = installation.operator_health_port();
  const std::string before = Metrics(port);
  const std::string ns = NewNamespace("counted");
  const json spec = {
      {"tensorParallelSize", 2},
      {"template",
       {{"spec",
         {{"containers", json::array({{{"name", "engine"}, {"image", "example/engine"}}})}}}}}};
  Cluster().Must("-n " + ns + " apply --server-side -f -",
                 json({{"apiVersion", "shm-operator.dev/v1alpha1"},
                       {"kind", "InferenceService"},
                       {"metadata", {{"name", "counted"}}},
                       {"spec", spec}})
                     .dump());
  const auto grew = [&before](const std::string& now, const std::string& name,
                              const std::vector<std::string>& labels) {
    return Sum(now, name, labels) > Sum(before, name, labels);
  };
  const std::vector<std::string> queue = {"name=\"inferenceservices\""};
  std::string now;
  const bool counted = Eventually(seconds(15), [&] {
    now = Metrics(port);
    return grew(now, "rest_client_requests_total",
                {"method=\"PATCH\"", "code=\"200\"", "host=\"127.0.0.1:"}) &&
           grew(now, "rest_client_requests_total", {"method=\"PATCH\"", "code=\"201\""}) &&
           grew(now, "rest_client_request_duration_seconds_count", {"verb=\"PATCH\""}) &&
           grew(now, "workqueue_adds_total", queue) &&
           grew(now, "workqueue_queue_duration_seconds_count", queue) &&
           grew(now, "workqueue_work_duration_seconds_count", queue);
  });
  INFO(now << installation.Logs());
  CHECK(counted);
  for (const char* gauge :
       {"workqueue_depth{", "workqueue_unfinished_work_seconds{",
        "workqueue_longest_running_processor_seconds{", "workqueue_retries_total{"}) {
    CHECK(now.find(gauge) != std::string::npos);
  }
}

}  // namespace shm::test
