// What is counted of reviews. Each metric is looked up by its labels once, not for each review.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <string_view>
#include <tuple>

#include "core/mutex.h"
#include "runtime/metrics.h"

namespace shm::webhook {

// Thread-safe. The metrics must outlive it.
class AdmissionMetrics {
 public:
  enum class Entry { kLabelled, kNamespace };  // of the webhook's configuration
  static constexpr std::string_view NameOf(Entry entry) {
    return entry == Entry::kLabelled ? "labelled" : "namespace";
  }

  explicit AdmissionMetrics(runtime::Metrics& metrics) : metrics_(metrics) {}

  // One review. `outcome` and `reason` are texts that live as long as the process. No
  // `patch_bytes`: no patch.
  void Observe(Entry entry, std::string_view outcome, std::string_view reason,
               std::chrono::duration<double> took, std::size_t patch_bytes) SHM_EXCLUDES(mutex_);

 private:
  using Labels = std::tuple<Entry, std::string_view, std::string_view>;
  struct Histograms {
    prometheus::Histogram* seconds = nullptr;
    prometheus::Histogram* patch_bytes = nullptr;
  };

  prometheus::Counter& CounterOf(const Labels& labels) SHM_REQUIRES(mutex_);
  prometheus::Histogram& SecondsOf(Entry entry) SHM_REQUIRES(mutex_);
  prometheus::Histogram& PatchBytesOf(Entry entry) SHM_REQUIRES(mutex_);

  runtime::Metrics& metrics_;
  Mutex mutex_;
  std::map<Labels, prometheus::Counter*> counters_ SHM_GUARDED_BY(mutex_);
  std::array<Histograms, 2> histograms_ SHM_GUARDED_BY(mutex_);  // by entry
};

}  // namespace shm::webhook
