#include "webhook/app.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "kube/cluster_config.h"
#include "kube/http_transport.h"
#include "runtime/cache_report.h"
#include "runtime/client_metrics.h"
#include "runtime/log.h"
#include "runtime/memory.h"

namespace shm::webhook {
namespace {

using runtime::LogError;
using runtime::LogInfo;
using runtime::LogWarn;

// Beside the shutdown delay, within the 30 s that Kubernetes grants a pod by default.
constexpr std::chrono::seconds kDrain{10};

// Two of these may wait for the cache at once (webhook/admission.h): the rest goes on answering.
constexpr int kAdmissionThreads = 4;

void LogRefused(const char* what, const kube::ObjectKey& key, const Error& error) {
  LogWarn("object cannot be read", {{"kind", what},
                                    {"namespace", key.namespace_name},
                                    {"name", key.name},
                                    {"error", error.ToString()}});
}

kube::Store<InferenceService>::OnError OnRefusedService() {
  return [](const kube::ObjectKey& key, const Error& error) {
    LogRefused("InferenceService", key, error);
  };
}

kube::Store<ClaimTemplate>::OnError OnRefusedTemplate() {
  return [](const kube::ObjectKey& key, const Error& error) {
    LogRefused("ResourceClaimTemplate", key, error);
  };
}

kube::Store<NamespaceRecord>::OnError OnRefusedNamespace() {
  return
      [](const kube::ObjectKey& key, const Error& error) { LogRefused("Namespace", key, error); };
}

// Empty text is none, too: a check that was asked for must not be left out in silence.
Result<std::string> ReadClientAuthorities(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!(text << file.rdbuf())) {
    return Error{"client-ca", "\"" + path + "\" cannot be read, or is empty"};
  }
  return text.str();
}

}  // namespace

App::App(runtime::WebhookConfig config, std::string own_namespace, kube::Transport& transport,
         runtime::Metrics& metrics, runtime::Signals& signals)
    : config_(std::move(config)),
      own_namespace_(std::move(own_namespace)),
      transport_(transport),
      signals_(signals),
      metrics_(metrics),
      services_(ParseInferenceService, OnRefusedService()),
      namespaces_(ParseNamespaceRecord, OnRefusedNamespace()),
      claim_templates_(
          [this](const nlohmann::json& object) {
            return ParseClaimTemplate(object, config_.gpu_device_classes);
          },
          OnRefusedTemplate()),
      certificate_(config_.tls_secret, tls_, metrics_),
      admission_(
          {services_, namespaces_, config_.count_resource_claims ? &claim_templates_ : nullptr},
          metrics_, {.installation = config_.sizing}) {}

App::~App() {
  server_->Stop();
  health_server_->Stop();
  reflectors_.Stop();
  certificate_reflector_.Stop();
}

Result<void> App::Start() {
  if (!config_.client_ca.empty()) {
    const Result<std::string> authorities = ReadClientAuthorities(config_.client_ca);
    if (!authorities) return authorities.error();
    tls_->RequireClientAuthority(*authorities);
  }
  FollowInto(services_, kube::InferenceServices());
  FollowInto(namespaces_, kube::Namespaces());
  if (config_.count_resource_claims) FollowInto(claim_templates_, kube::ResourceClaimTemplates());
  Follow(kube::Secrets(), {own_namespace_, config_.tls_secret}, certificate_,
         certificate_reflector_, {});
  AddChecks();
  if (Result<void> started = StartHealth(); !started) return started;
  if (Result<void> started = StartAdmission(); !started) return started;
  reflectors_.Start();
  certificate_reflector_.Start();
  LogInfo("webhook started", {{"version", SHM_VERSION},
                              {"port", port()},
                              {"health_port", health_port()},
                              {"namespace", own_namespace_}});
  return {};
}

void App::Serve() {
  const int signal = signals_.Wait();
  LogInfo("webhook ends: not ready, still serving",
          {{"signal", signal}, {"seconds", config_.shutdown_delay}});
  health_.StartShutdown();
  server_->CloseAfterResponses();
  signals_.Wait(std::chrono::seconds(config_.shutdown_delay));
  const bool drained = server_->Drain(kDrain);
  LogInfo("webhook drained", {{"in_time", drained}});
}

template <typename T>
void App::FollowInto(kube::Store<T>& store, const kube::ResourceType& type) {
  for (const kube::Scope& scope : kube::ScopesOf(type, config_.watch_namespaces)) {
    kube::Tolerated tolerated = kube::ToleratedIn(scope);
    // The API server may not serve them, or not to us. It is asked again and again, but neither
    // readiness nor liveness waits for it.
    if (type == kube::ResourceClaimTemplates()) {
      tolerated = {kube::ErrorReason::kForbidden, kube::ErrorReason::kNotFound};
    }
    Follow(type, scope, store.Part(scope), reflectors_, std::move(tolerated));
  }
}

void App::Follow(const kube::ResourceType& type, const kube::Scope& scope, kube::ObjectSink& sink,
                 kube::ReflectorSet& reflectors, kube::Tolerated tolerated) {
  kube::ReflectorOptions options;
  options.type = type;
  options.scope = scope;
  const bool claims = type == kube::ResourceClaimTemplates();
  const auto on_event = [this, resource = type.plural, scope,
                         claims](const kube::ReflectorEvent& event) {
    runtime::ReportCache(metrics_, resource, scope.ToString(), kube::ReportOf(event));
    if (claims) OnClaimTemplates(event);
  };
  reflectors.Add(std::make_unique<kube::Reflector>(transport_, sink, std::move(options), on_event),
                 std::move(tolerated));
}

void App::OnClaimTemplates(const kube::ReflectorEvent& event) {
  using Kind = kube::ReflectorEvent::Kind;
  if (event.kind == Kind::kListed) claim_templates_refused_ = false;
  if (event.kind != Kind::kListFailed) return;
  const auto reason = event.error.reason;
  if (reason != kube::ErrorReason::kNotFound && reason != kube::ErrorReason::kForbidden) return;
  if (claim_templates_refused_.exchange(true)) return;
  LogError(
      "resource claims are not counted: the API server refuses ResourceClaimTemplates",
      {{"api", kube::ResourceClaimTemplates().ApiVersion()}, {"error", event.error.ToString()}});
}

void App::AddChecks() {
  health_.AddLiveness("watches", [this]() -> std::string {
    return reflectors_.Alive() && certificate_reflector_.Alive() ? "" : "a watch makes no progress";
  });
  health_.AddReadiness("cache", [this]() -> std::string {
    return reflectors_.HasSynced() ? "" : "not all is listed yet";
  });
  health_.AddReadiness("certificate", [this]() -> std::string {
    return tls_->context() ? "" : "there is no serving certificate yet";
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
    return AnswerHealth(request);
  });
}

Result<void> App::StartAdmission() {
  runtime::HttpServerOptions options;
  options.address = config_.listen_address;
  options.port = config_.port;
  options.threads = kAdmissionThreads;
  options.tls = tls_;
  options.on_reject = [this](runtime::Rejection reason) { CountRejection(reason); };
  return server_->Start(std::move(options), [this](const runtime::Request& request) {
    return admission_.Answer(request);
  });
}

void App::CountRejection(runtime::Rejection reason) {
  metrics_.Count("shm_webhook_rejected_total",
                 "Connections and requests turned away before admission, by reason.",
                 {{"reason", std::string(runtime::RejectionName(reason))}});
}

runtime::Response App::AnswerHealth(const runtime::Request& request) {
  metrics_.Set("shm_webhook_connections", "Connections that stand.",
               static_cast<double>(server_->connections()));
  metrics_.Set("shm_webhook_requests_in_flight", "Reviews being answered.",
               static_cast<double>(server_->requests_in_flight()));
  metrics_.Set("shm_webhook_inference_services", "InferenceServices in the cache.",
               static_cast<double>(services_.Size()));
  metrics_.Set("shm_webhook_watches_refused", "Watches that the API server does not allow.",
               static_cast<double>(reflectors_.Refused() + certificate_reflector_.Refused()));
  if (config_.count_resource_claims) {
    metrics_.Set("shm_webhook_claim_templates", "ResourceClaimTemplates in the cache.",
                 static_cast<double>(claim_templates_.Size()));
  }
  return health_.Answer(request, &metrics_);
}

int Main(const std::vector<std::string>& arguments, runtime::Signals& signals) {
  runtime::GiveMemoryBack();
  const Result<runtime::WebhookConfig> config =
      runtime::ReadWebhookConfig(arguments, runtime::ProcessEnvironment());
  if (!config) {
    std::fprintf(stderr, "shm-webhook: %s\n", config.error().ToString().c_str());
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
    std::fprintf(stderr, "shm-webhook: %s\n", checked.error().ToString().c_str());
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
  App app(*config, own_namespace, **transport, metrics, signals);
  if (const Result<void> started = app.Start(); !started) {
    LogError("webhook did not start", {{"error", started.error().ToString()}});
    return 1;
  }
  app.Serve();
  return 0;
}

}  // namespace shm::webhook
