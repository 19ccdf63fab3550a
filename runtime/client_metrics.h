// What a Kubernetes client is watched by, under the names that every controller has.
//
// Names, labels and buckets are those of k8s.io/component-base: metrics/prometheus/restclient
// and metrics/prometheus/workqueue, so that dashboards and alerts made for controllers fit. Numbers
// and strings come in: this room knows no client.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "runtime/metrics.h"

namespace shm::runtime {

// rest_client_requests_total{code,method,host}, rest_client_request_duration_seconds{verb,host}.
// Thread-safe.
class RestClientMetrics {
 public:
  // `metrics` must outlive it.
  explicit RestClientMetrics(Metrics& metrics) : metrics_(metrics) {}

  struct Request {
    std::string method{};  // GET, ...
    std::string host{};    // host:port
    int status = 0;        // 0: no response, which the label calls "<error>"
    std::chrono::duration<double> seconds{0};
    bool watch = false;  // counted, but a watch's length is not a latency
  };
  void Observe(const Request& request);

 private:
  Metrics& metrics_;
};

// workqueue_*{name}. Thread-safe.
class WorkQueueMetrics {
 public:
  // `metrics` must outlive it. `name` is the queue's. All of them are there from now on, at 0.
  WorkQueueMetrics(Metrics& metrics, const std::string& name);

  void Added() const;
  void Retried() const;
  void Started(std::chrono::duration<double> waited) const;
  void Finished(std::chrono::duration<double> worked) const;

  // What stands now; set before each exposition.
  void SetLevels(std::size_t depth, std::chrono::duration<double> unfinished,
                 std::chrono::duration<double> longest) const;

 private:
  prometheus::Gauge& depth_;
  prometheus::Counter& adds_;
  prometheus::Counter& retries_;
  prometheus::Histogram& queue_duration_;
  prometheus::Histogram& work_duration_;
  prometheus::Gauge& unfinished_;
  prometheus::Gauge& longest_;
};

}  // namespace shm::runtime
