// The process's metrics: named families, and their text for /metrics.
//
// Thread-safe. A metric is created by the first use of its label values and lives as long as the
// Metrics; label values must come from closed sets (enums), never from what users write.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace shm::runtime {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `help` counts at the first call for a name. The references stay valid: keep them where a metric
  // is touched for each request.
  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const MetricLabels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const MetricLabels& labels = {});
  // `bounds`: upper bounds of the buckets, ascending; seconds for durations.
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& bounds,
                                   const MetricLabels& labels = {});

  // Shorthands for what is rare.
  void Count(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  void Set(const std::string& name, const std::string& help, double value,
           const MetricLabels& labels = {});

  // Text exposition format 0.0.4; content type kMetricsContentType.
  std::string Exposition() const;

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// From a tenth of a millisecond to the API server's time limit: buckets of a request's seconds.
std::vector<double> LatencyBounds();

}  // namespace shm::runtime
