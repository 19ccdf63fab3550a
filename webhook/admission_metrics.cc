#include "webhook/admission_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <string>

namespace shm::webhook {

void AdmissionMetrics::Observe(Entry entry, std::string_view outcome, std::string_view reason,
                               std::chrono::duration<double> took, std::size_t patch_bytes) {
  MutexLock lock(mutex_);
  CounterOf({entry, outcome, reason}).Increment();
  SecondsOf(entry).Observe(took.count());
  if (patch_bytes > 0) PatchBytesOf(entry).Observe(static_cast<double>(patch_bytes));
}

prometheus::Counter& AdmissionMetrics::CounterOf(const Labels& labels) {
  prometheus::Counter*& counter = counters_[labels];
  if (!counter) {
    const auto& [entry, outcome, reason] = labels;
    counter = &metrics_.Counter("shm_webhook_requests_total", "Reviews answered.",
                                {{"entry", std::string(NameOf(entry))},
                                 {"outcome", std::string(outcome)},
                                 {"reason", std::string(reason)}});
  }
  return *counter;
}

prometheus::Histogram& AdmissionMetrics::SecondsOf(Entry entry) {
  prometheus::Histogram*& seconds = histograms_[static_cast<std::size_t>(entry)].seconds;
  if (!seconds) {
    seconds = &metrics_.Histogram(
        "shm_webhook_request_seconds", "From a review's first byte to its answer.",
        runtime::LatencyBounds(), {{"entry", std::string(NameOf(entry))}});
  }
  return *seconds;
}

prometheus::Histogram& AdmissionMetrics::PatchBytesOf(Entry entry) {
  prometheus::Histogram*& bytes = histograms_[static_cast<std::size_t>(entry)].patch_bytes;
  if (!bytes) {
    bytes = &metrics_.Histogram("shm_webhook_patch_bytes", "Size of the patches.",
                                {128, 256, 512, 1024, 2048, 4096, 16384, 65536},
                                {{"entry", std::string(NameOf(entry))}});
  }
  return *bytes;
}

}  // namespace shm::webhook
