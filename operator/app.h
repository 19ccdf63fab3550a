// The operator program: watches always, works while it leads, ends in good order.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "kube/client.h"
#include "kube/event_recorder.h"
#include "kube/lease.h"
#include "kube/work_queue.h"
#include "operator/certificates.h"
#include "operator/queue_metrics.h"
#include "operator/reconciler.h"
#include "operator/world.h"
#include "runtime/config.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/metrics.h"
#include "runtime/signals.h"

namespace shm::controller {

// One a process. Not thread-safe: Start and Serve from one thread.
class App {
 public:
  // `transport`, `metrics` and `signals` must outlive the app. `identity` is unique among the
  // replicas: the pod's name.
  App(runtime::OperatorConfig config, std::string own_namespace, std::string identity,
      kube::Transport& transport, runtime::Metrics& metrics, runtime::Signals& signals);
  ~App();

  // Begins to watch, and to stand for election. An Error says which port could not be had.
  Result<void> Start();

  // Until SIGTERM or SIGINT; then stops all work, and releases the lease last (trap W7).
  void Serve();

 private:
  // The threads of one term as leader. Its destructor stops them.
  class Term;

  void Enqueue(const kube::ObjectKey& service) SHM_EXCLUDES(term_mutex_);
  void AddChecks();
  Result<void> StartHealth();
  void MeasureQueue() SHM_EXCLUDES(term_mutex_);
  std::optional<kube::OwnerReference> FindOwner(const std::stop_token& stop);
  void StandForElection(const std::stop_token& stop);
  void BeginTerm() SHM_EXCLUDES(term_mutex_);
  void EndTerm() SHM_EXCLUDES(term_mutex_);
  CertificateOptions MakeCertificateOptions() const;

  const runtime::OperatorConfig config_;
  const std::string own_namespace_;
  const std::string identity_;
  runtime::Signals& signals_;
  kube::Transport& transport_;
  runtime::Metrics& metrics_;
  QueueMetrics queue_metrics_{metrics_};
  runtime::Health health_;
  kube::Client client_;
  kube::Client lease_client_;  // with deadlines that fit the lease's
  kube::EventRecorder events_;
  std::optional<kube::OwnerReference> owner_;  // set before the first term
  Mutex term_mutex_;
  std::unique_ptr<Term> term_ SHM_GUARDED_BY(term_mutex_);  // null while not leading
  World world_;
  std::atomic<bool> leading_{false};
  std::unique_ptr<kube::Elector> elector_;
  std::unique_ptr<runtime::HttpServer> health_server_ = runtime::MakeHttpServer();
  std::jthread starter_;  // finds the owner, then stands for election
};

// What main does: reads the configuration, connects, serves. The exit status.
int Main(const std::vector<std::string>& arguments, runtime::Signals& signals);

}  // namespace shm::controller
