#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "core/mutex.h"

namespace shm::runtime {
namespace {

std::map<std::string, std::string> AsMap(const MetricLabels& labels) {
  return {labels.begin(), labels.end()};
}

// The family of that name, made at its first use. prometheus-cpp would accept a second family of
// one name and expose both, which no scraper reads.
template <typename Metric, typename Build>
prometheus::Family<Metric>& FamilyOf(std::map<std::string, prometheus::Family<Metric>*>& families,
                                     const std::string& name, Build build) {
  auto& family = families[name];
  if (family == nullptr) family = &build();
  return *family;
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;  // thread-safe by itself, as are the families
  Mutex mutex;
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters SHM_GUARDED_BY(mutex);
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges SHM_GUARDED_BY(mutex);
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms
      SHM_GUARDED_BY(mutex);
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help,
                                      const MetricLabels& labels) {
  MutexLock lock(families_->mutex);
  return FamilyOf(
             families_->counters, name,
             [&]() -> auto& {
               return prometheus::BuildCounter().Name(name).Help(help).Register(
                   families_->registry);
             })
      .Add(AsMap(labels));
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help,
                                  const MetricLabels& labels) {
  MutexLock lock(families_->mutex);
  return FamilyOf(
             families_->gauges, name,
             [&]() -> auto& {
               return prometheus::BuildGauge().Name(name).Help(help).Register(families_->registry);
             })
      .Add(AsMap(labels));
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& bounds,
                                          const MetricLabels& labels) {
  MutexLock lock(families_->mutex);
  return FamilyOf(
             families_->histograms, name,
             [&]() -> auto& {
               return prometheus::BuildHistogram().Name(name).Help(help).Register(
                   families_->registry);
             })
      .Add(AsMap(labels), bounds);
}

void Metrics::Count(const std::string& name, const std::string& help, const MetricLabels& labels) {
  Counter(name, help, labels).Increment();
}

void Metrics::Set(const std::string& name, const std::string& help, double value,
                  const MetricLabels& labels) {
  Gauge(name, help, labels).Set(value);
}

std::string Metrics::Exposition() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

std::vector<double> LatencyBounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5};
}

}  // namespace shm::runtime
