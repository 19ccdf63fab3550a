#include "runtime/client_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace shm::runtime {
namespace {

std::vector<double> RequestBounds() {
  return {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
}

std::vector<double> QueueBounds() { return {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10}; }

}  // namespace

void RestClientMetrics::Observe(const Request& request) {
  metrics_.Count("rest_client_requests_total",
                 "Requests to the API server, by status code, method and host.",
                 {{"code", request.status == 0 ? "<error>" : std::to_string(request.status)},
                  {"method", request.method},
                  {"host", request.host}});
  if (request.watch) return;
  metrics_
      .Histogram("rest_client_request_duration_seconds",
                 "Seconds that requests took, by method and host.", RequestBounds(),
                 {{"verb", request.method}, {"host", request.host}})
      .Observe(request.seconds.count());
}

WorkQueueMetrics::WorkQueueMetrics(Metrics& metrics, const std::string& name)
    : depth_(metrics.Gauge("workqueue_depth", "Keys that wait to be worked on.", {{"name", name}})),
      adds_(metrics.Counter("workqueue_adds_total", "Keys that were added to the queue.",
                            {{"name", name}})),
      retries_(metrics.Counter("workqueue_retries_total", "Keys that were added with a delay.",
                               {{"name", name}})),
      queue_duration_(metrics.Histogram("workqueue_queue_duration_seconds",
                                        "Seconds that a key waited for a worker.", QueueBounds(),
                                        {{"name", name}})),
      work_duration_(metrics.Histogram("workqueue_work_duration_seconds",
                                       "Seconds that the work on a key took.", QueueBounds(),
                                       {{"name", name}})),
      unfinished_(metrics.Gauge(
          "workqueue_unfinished_work_seconds",
          "Seconds of work in progress that work_duration has not observed yet. Large values mean "
          "stuck threads; how fast it grows tells how many.",
          {{"name", name}})),
      longest_(metrics.Gauge("workqueue_longest_running_processor_seconds",
                             "Seconds that the longest running worker of the queue has been at it.",
                             {{"name", name}})) {}

void WorkQueueMetrics::Added() const { adds_.Increment(); }

void WorkQueueMetrics::Retried() const { retries_.Increment(); }

void WorkQueueMetrics::Started(std::chrono::duration<double> waited) const {
  queue_duration_.Observe(waited.count());
}

void WorkQueueMetrics::Finished(std::chrono::duration<double> worked) const {
  work_duration_.Observe(worked.count());
}

void WorkQueueMetrics::SetLevels(std::size_t depth, std::chrono::duration<double> unfinished,
                                 std::chrono::duration<double> longest) const {
  depth_.Set(static_cast<double>(depth));
  unfinished_.Set(unfinished.count());
  longest_.Set(longest.count());
}

}  // namespace shm::runtime
