#include "runtime/client_metrics.h"

#include <catch2/catch.hpp>
#include <string>

namespace shm::runtime {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Requests are counted by code, method and host, and timed unless they are watches") {
  Metrics metrics;
  RestClientMetrics client(metrics);
  const std::string host = "10.0.0.1:6443";
  client.Observe({"GET", host, 200, 30ms, false});
  client.Observe({"PATCH", host, 409, 3s, false});
  client.Observe({"GET", host, 0, 15s, false});
  client.Observe({"GET", host, 200, 5min, true});
  const std::string text = metrics.Exposition();
  for (const char* line : {
           R"(rest_client_requests_total{code="200",host="10.0.0.1:6443",method="GET"} 2)",
           R"(rest_client_requests_total{code="409",host="10.0.0.1:6443",method="PATCH"} 1)",
           R"(rest_client_requests_total{code="<error>",host="10.0.0.1:6443",method="GET"} 1)",
           R"(rest_client_request_duration_seconds_count{host="10.0.0.1:6443",verb="GET"} 2)",
           R"(rest_client_request_duration_seconds_bucket{host="10.0.0.1:6443",verb="GET",)"
           R"(le="0.1"} 1)",
       }) {
    CHECK_THAT(text, Catch::Contains(line));
  }
}

TEST_CASE("A queue's metrics are there from the start, and move") {
  Metrics metrics;
  const WorkQueueMetrics queue(metrics, "inferenceservices");
  CHECK_THAT(metrics.Exposition(),
             Catch::Contains("workqueue_adds_total{name=\"inferenceservices\"} 0"));
  queue.Added();
  queue.Added();
  queue.Retried();
  queue.Started(2s);
  queue.Finished(50ms);
  queue.SetLevels(7, 3s, 2s);
  const std::string text = metrics.Exposition();
  for (const char* line : {
           R"(workqueue_depth{name="inferenceservices"} 7)",
           R"(workqueue_adds_total{name="inferenceservices"} 2)",
           R"(workqueue_retries_total{name="inferenceservices"} 1)",
           R"(workqueue_queue_duration_seconds_sum{name="inferenceservices"} 2)",
           R"(workqueue_work_duration_seconds_bucket{name="inferenceservices",le="0.1"} 1)",
           R"(workqueue_work_duration_seconds_bucket{name="inferenceservices",le="0.01"} 0)",
           R"(workqueue_unfinished_work_seconds{name="inferenceservices"} 3)",
           R"(workqueue_longest_running_processor_seconds{name="inferenceservices"} 2)",
       }) {
    CHECK_THAT(text, Catch::Contains(line));
  }
}

}  // namespace
}  // namespace shm::runtime
