// The work queue's metrics, over all terms of a process as leader.
#pragma once

#include "kube/work_queue.h"
#include "runtime/client_metrics.h"

namespace shm::controller {

// Thread-safe. Outlives the queues that it observes.
class QueueMetrics final : public kube::QueueObserver {
 public:
  // `metrics` must outlive it.
  explicit QueueMetrics(runtime::Metrics& metrics) : metrics_(metrics, "inferenceservices") {}

  void Added() override { metrics_.Added(); }
  void Retried() override { metrics_.Retried(); }
  void Started(std::chrono::duration<double> waited) override { metrics_.Started(waited); }
  void Finished(std::chrono::duration<double> worked) override { metrics_.Finished(worked); }

  // What stands now; `queue` is null while this replica does not lead.
  void Measure(const kube::WorkQueue* queue) const {
    if (queue == nullptr) return metrics_.SetLevels(0, {}, {});
    metrics_.SetLevels(queue->Depth(), queue->UnfinishedWork(), queue->LongestRunning());
  }

 private:
  const runtime::WorkQueueMetrics metrics_;
};

}  // namespace shm::controller
