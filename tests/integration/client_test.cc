// How the programs speak with a real API server, as their metrics tell it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
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

// Watches are GETs, and the lease is PUT.
double Writes() {
  const std::string metrics = Metrics(Installation::Get().operator_health_port());
  return Sum(metrics, "rest_client_requests_total", {"method=\"PATCH\""}) +
         Sum(metrics, "rest_client_requests_total", {"method=\"POST\""});
}

bool BecomesQuiet() {
  double before = -1;
  return Eventually(seconds(20), [&] {
    const double now = Writes();
    return std::exchange(before, now) == now;
  });
}

void Create(const std::string& ns, const std::string& name) {
  const json engine = {{"name", "engine"}, {"image", "example/engine"}};
  ApplyInferenceService(ns, name,
                        {{"tensorParallelSize", 2},
                         {"template", {{"spec", {{"containers", json::array({engine})}}}}}});
}

}  // namespace

TEST_CASE("both programs get their lists as streams, none in pages") {
  Installation& installation = Installation::Get();
  const std::pair<std::string, std::string> listed[] = {
      {Metrics(installation.operator_health_port()), "reflector_lists_total"},
      {Metrics(installation.webhook_health_port()), "reflector_lists_total"}};
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
  Create(ns, "counted");
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

TEST_CASE("an InferenceService costs one call a child, one for its status and one for its event") {
  Installation& installation = Installation::Get();
  const std::string ns = NewNamespace("calls");
  const auto count = [&](const std::vector<std::string>& labels) {
    return Sum(Metrics(installation.operator_health_port()), "rest_client_requests_total", labels);
  };
  REQUIRE(BecomesQuiet());
  const double written = Writes();
  const double not_found = count({"code=\"404\""});
  for (int i = 0; i < 5; ++i) Create(ns, "s" + std::to_string(i));
  REQUIRE(Eventually(seconds(15), [&] {
    const std::string reasons = Cluster().Must(
        "-n " + ns +
        " get shmisvc -o jsonpath='{.items[*].status.conditions[?(@.type==\"Ready\")].reason}'");
    return reasons == "Progressing Progressing Progressing Progressing Progressing";
  }));
  REQUIRE(BecomesQuiet());
  CHECK(Writes() - written <= 5 * 4);
  CHECK(count({"code=\"404\""}) == not_found);  // nobody asked first whether there was one
}

TEST_CASE("an operator that starts anew writes nothing where nothing differs, and sees what does") {
  Installation& installation = Installation::Get();
  Cluster().Must("delete inferenceservices.shm-operator.dev -A --all");
  const std::string ns = NewNamespace("anew");
  std::ifstream file(SHM_TEST_DATA "/children/many-fields.json");
  const json many_fields = json::parse(file);
  for (const char* name : {"same", "drifted", "relabelled"}) {
    ApplyInferenceService(ns, name, {{"tensorParallelSize", 2}, {"template", many_fields}});
  }
  REQUIRE(Eventually(seconds(15), [&] { return Writes() >= 3 * 3; }));
  REQUIRE(BecomesQuiet());

  const auto restart = [&](const std::function<void()>& meanwhile) {
    installation.operator_process().Signal(SIGTERM);
    installation.operator_process().Wait();
    meanwhile();
    installation.StartOperator();
    return Eventually(seconds(30), [&] {
      const std::string metrics = Metrics(installation.operator_health_port());
      return Sum(metrics, "workqueue_work_duration_seconds_count", {}) >= 3 &&
             Sum(metrics, "workqueue_depth", {}) == 0;
    });
  };
  REQUIRE(restart([] {}));
  REQUIRE(BecomesQuiet());
  CHECK(Writes() == 0);

  REQUIRE(restart([&] {
    Cluster().Must("-n " + ns + " set image deployment drifted sidecar=example/other");
    Cluster().Must("-n " + ns + R"( patch deployment same --type=merge -p )" +
                   R"('{"spec":{"template":{"spec":{"hostNetwork":true}}}}')");
    Cluster().Must("-n " + ns +
                   " label --overwrite service relabelled app.kubernetes.io/managed-by=me");
  }));
  const auto healed = [&] {
    return Cluster().Get(
               "-n " + ns +
               " deployment drifted")["spec"]["template"]["spec"]["containers"][1]["image"] ==
               "example/sidecar" &&
           Cluster().Get(
               "-n " + ns +
               " service relabelled")["metadata"]["labels"]["app.kubernetes.io/managed-by"] ==
               "shm-operator";
  };
  CHECK(Eventually(seconds(15), healed));
  REQUIRE(BecomesQuiet());
  CHECK(Writes() == 3);
}

}  // namespace shm::test
