#include "operator/app.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "kube/cluster_config.h"
#include "kube/http_transport.h"
#include "runtime/cache_report.h"
#include "runtime/log.h"

namespace shm::controller {
namespace {

using runtime::LogError;
using runtime::LogInfo;
using runtime::LogWarn;

constexpr int kWorkers = 2;
constexpr std::chrono::milliseconds kSyncPoll{20};
constexpr std::chrono::milliseconds kOwnerRetry{1000};
constexpr std::chrono::milliseconds kLeaseCallTimeout{4000};

std::string Identity() {
  if (const char* pod = std::getenv("POD_NAME"); pod && *pod) return pod;
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  return std::string(host) + "-" + std::to_string(getpid());
}

}  // namespace

class App::Term {
 public:
  explicit Term(App& app)
      : app_(app),
        queue_(kube::SystemClock(), &app.queue_metrics_),
        client_(app.transport_),
        reconciler_(client_, app.world_, app.events_, app.config_.sizing, kube::SystemClock(),
                    [&app](const std::string& outcome) {
                      app.metrics_.Count("shm_operator_evictions_total",
                                         "Attempts to evict a pod that is to be sized, by outcome.",
                                         {{"outcome", outcome}});
                    }),
        certificates_(client_, app.MakeCertificateOptions(), kube::SystemClock()),
        starter_([this](const std::stop_token& stop) { StartWorkers(stop); }),
        rotation_([this](const std::stop_token& stop) { Rotate(stop); }) {}

  // Another may lead soon: what is under way is cut off, not waited for.
  ~Term() {
    client_.Cancel();
    starter_.request_stop();
    rotation_.request_stop();
    queue_.ShutDown();
    // jthreads join as they go: the starter, which owns the workers' birth, before the workers.
    starter_.join();
    workers_.clear();
  }

  kube::WorkQueue& queue() { return queue_; }

 private:
  // Nothing is decided by half of what there is.
  void StartWorkers(const std::stop_token& stop) {
    while (!app_.world_.HasSynced()) {
      if (!kube::SystemClock().Sleep(kSyncPoll, stop)) return;
    }
    for (const auto& key : app_.world_.ServiceKeys()) queue_.Add(key);
    for (int i = 0; i < kWorkers; ++i) workers_.emplace_back([this] { Work(); });
  }

  void Work() {
    while (const auto key = queue_.Get()) {
      const auto [error, again] = reconciler_.Reconcile(*key);
      app_.metrics_.Count("shm_operator_reconcile_total", "Reconciliations, by outcome.",
                          {{"outcome", error ? "error" : "success"}});
      if (error) {
        const auto delay = queue_.AddRateLimited(*key);
        LogWarn("reconciliation failed, will be tried again", {{"service", key->ToString()},
                                                               {"error", error->ToString()},
                                                               {"delay_ms", delay.count()}});
      } else {
        queue_.Forget(*key);
        if (again) queue_.AddAfter(*key, *again);
      }
      queue_.Done(*key);
    }
  }

  void Rotate(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto pause = certificates_.Advance();
      app_.metrics_.Set("shm_operator_serving_certificate_not_after_seconds",
                        "When the webhook's certificate ends, in unix seconds.",
                        static_cast<double>(certificates_.leaf_not_after()));
      kube::SystemClock().Sleep(pause, stop);
    }
  }

  App& app_;
  kube::WorkQueue queue_;
  kube::Client client_;
  Reconciler reconciler_;
  Certificates certificates_;
  std::vector<std::jthread> workers_;
  std::jthread starter_;
  std::jthread rotation_;
};

App::App(runtime::OperatorConfig config, std::string own_namespace, std::string identity,
         kube::Transport& transport, runtime::Metrics& metrics, runtime::Signals& signals)
    : config_(std::move(config)),
      own_namespace_(std::move(own_namespace)),
      identity_(std::move(identity)),
      signals_(signals),
      transport_(transport),
      metrics_(metrics),
      client_(transport),
      lease_client_(transport, {.timeout = kLeaseCallTimeout, .list_timeout = kLeaseCallTimeout}),
      events_(client_, {.instance = identity_}),
      world_(
          transport, config_.watch_namespaces,
          [this](const kube::ObjectKey& service) { Enqueue(service); },
          [this](const std::string& resource, const kube::Scope& scope,
                 const kube::ReflectorEvent& event) {
            runtime::ReportCache(metrics_, resource, scope.ToString(), kube::ReportOf(event));
          }) {}

App::~App() {
  starter_ = {};
  if (elector_) elector_->Stop();
  world_.Stop();
  events_.Stop();
  health_server_->Stop();
}

// A change that comes while we do not lead is not lost: a term begins with every InferenceService.
void App::Enqueue(const kube::ObjectKey& service) {
  MutexLock lock(term_mutex_);
  if (term_) term_->queue().Add(service);
}

void App::AddChecks() {
  health_.AddLiveness("watches", [this]() -> std::string {
    return world_.Alive() ? "" : "a watch makes no progress";
  });
  health_.AddReadiness("cache", [this]() -> std::string {
    return world_.HasSynced() ? "" : "not all is listed yet";
  });
}

Result<void> App::StartHealth() {
  runtime::HttpServerOptions options;
  options.address = config_.listen_address;
  options.port = config_.health_port;
  options.threads = 1;
  options.limits.connections = 64;
  options.limits.grace = std::chrono::milliseconds(10);  // a kubelet waits for a second only
  options.limits.body_bytes = 16 * 1024;
  return health_server_->Start(std::move(options), [this](const runtime::Request& request) {
    metrics_.Set("leader_election_master_status", "1 while this replica leads.",
                 leading_.load() ? 1 : 0, {{"name", config_.lease}});
    metrics_.Set("shm_operator_inference_services", "InferenceServices in the cache.",
                 static_cast<double>(world_.ServiceCount()));
    metrics_.Set("shm_operator_watches_refused", "Watches that the API server does not allow.",
                 static_cast<double>(world_.Refused()));
    MeasureQueue();
    return health_.Answer(request, &metrics_);
  });
}

void App::MeasureQueue() {
  MutexLock lock(term_mutex_);
  queue_metrics_.Measure(term_ ? &term_->queue() : nullptr);
}

Result<void> App::Start() {
  AddChecks();
  if (Result<void> started = StartHealth(); !started) return started;
  world_.Start();
  events_.Start();
  starter_ = std::jthread([this](const std::stop_token& stop) { StandForElection(stop); });
  LogInfo("operator started", {{"version", SHM_VERSION},
                               {"identity", identity_},
                               {"health_port", health_server_->port()},
                               {"namespace", own_namespace_}});
  return {};
}

void App::Serve() {
  const int signal = signals_.Wait();
  LogInfo("operator ends", {{"signal", signal}});
  health_.StartShutdown();
}

// Our own Deployment, so that Secrets and Lease go with it. Without one (a developer's machine)
// they have no owner; whether there is one has to be known first.
std::optional<kube::OwnerReference> App::FindOwner(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto found = client_.Get(kube::Deployments(), {own_namespace_, config_.deployment});
    if (found.ok()) {
      return kube::OwnerReference{"apps/v1", "Deployment", config_.deployment,
                                  found->value("/metadata/uid"_json_pointer, "")};
    }
    if (found.Is(kube::ErrorReason::kNotFound)) return std::nullopt;
    LogWarn("own Deployment cannot be looked at", {{"error", found.error().ToString()}});
    kube::SystemClock().Sleep(kOwnerRetry, stop);
  }
  return std::nullopt;
}

void App::StandForElection(const std::stop_token& stop) {
  owner_ = FindOwner(stop);
  if (stop.stop_requested()) return;
  kube::ElectorOptions options;
  options.lease = {own_namespace_, config_.lease};
  options.identity = identity_;
  options.owner = owner_;
  kube::ElectorCallbacks callbacks;
  callbacks.on_started = [this] { BeginTerm(); };
  callbacks.on_stopped = [this] { EndTerm(); };
  callbacks.on_leader = [](const std::string& leader) {
    LogInfo("leader", {{"identity", leader}});
  };
  callbacks.on_error = [](const kube::ApiError& error) {
    LogWarn("lease cannot be read or written", {{"error", error.ToString()}});
  };
  elector_ =
      std::make_unique<kube::Elector>(lease_client_, std::move(options), std::move(callbacks));
  elector_->Start();
}

void App::BeginTerm() {
  LogInfo("leading", {{"identity", identity_}});
  MutexLock lock(term_mutex_);
  term_ = std::make_unique<Term>(*this);
  leading_.store(true);
}

void App::EndTerm() {
  std::unique_ptr<Term> ending;
  {
    MutexLock lock(term_mutex_);
    ending = std::move(term_);
    leading_.store(false);
  }
  // Outside the lock: its workers may be about to enqueue.
  ending.reset();
  LogInfo("leading no longer", {{"identity", identity_}});
}

CertificateOptions App::MakeCertificateOptions() const {
  CertificateOptions options;
  options.policy = config_.certificates;
  options.namespace_name = own_namespace_;
  options.webhook_configuration = config_.webhook_configuration;
  options.webhook_service = config_.webhook_service;
  options.ca_secret = config_.ca_secret;
  options.tls_secret = config_.tls_secret;
  options.owner = owner_;
  return options;
}

int Main(const std::vector<std::string>& arguments, runtime::Signals& signals) {
  const Result<runtime::OperatorConfig> config =
      runtime::ReadOperatorConfig(arguments, runtime::ProcessEnvironment());
  if (!config) {
    std::fprintf(stderr, "shm-operator: %s\n", config.error().ToString().c_str());
    return 2;
  }
  if (!config->help.empty()) {
    std::fputs(config->help.c_str(), stdout);
    return 0;
  }
  runtime::SetUpLog(config->log_level, config->log_format);
  const Result<kube::ClusterConfig> cluster =
      kube::LoadClusterConfig(config->kubeconfig, kube::ProcessEnvironment());
  if (!cluster) {
    LogError("no way to the API server", {{"error", cluster.error().ToString()}});
    return 1;
  }
  const std::string own_namespace =
      config->namespace_name.empty() ? cluster->namespace_name : config->namespace_name;
  if (const Result<void> checked = runtime::CheckWatchNamespaces(*config, own_namespace);
      !checked) {
    std::fprintf(stderr, "shm-operator: %s\n", checked.error().ToString().c_str());
    return 2;
  }
  runtime::Metrics metrics;
  runtime::RestClientMetrics requests(metrics);
  kube::HttpTransportOptions options;
  options.on_request = [&requests](const kube::RequestSample& sample) {
    requests.Observe({sample.method, sample.host, sample.status, sample.seconds, sample.stream});
  };
  const Result<std::unique_ptr<kube::Transport>> transport =
      kube::MakeHttpTransport(*cluster, std::move(options));
  if (!transport) {
    LogError("no way to the API server", {{"error", transport.error().ToString()}});
    return 1;
  }
  App app(*config, own_namespace, Identity(), **transport, metrics, signals);
  if (const Result<void> started = app.Start(); !started) {
    LogError("operator did not start", {{"error", started.error().ToString()}});
    return 1;
  }
  app.Serve();
  return 0;
}

}  // namespace shm::controller
