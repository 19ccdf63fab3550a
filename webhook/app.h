// The webhook program: reflects what it decides by, serves admission reviews, ends in good order.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/claim_template.h"
#include "core/result.h"
#include "kube/reflector_set.h"
#include "kube/store.h"
#include "runtime/config.h"
#include "runtime/health.h"
#include "runtime/http_server.h"
#include "runtime/metrics.h"
#include "runtime/signals.h"
#include "runtime/tls.h"
#include "webhook/admission.h"
#include "webhook/namespace_record.h"
#include "webhook/serving_certificate.h"

namespace shm::webhook {

// One a process. Not thread-safe: Start, Serve and Stop from one thread.
class App {
 public:
  // `transport` to the API server, `metrics` and `signals` must outlive the app. `own_namespace`
  // holds the serving Secret.
  App(runtime::WebhookConfig config, std::string own_namespace, kube::Transport& transport,
      runtime::Metrics& metrics, runtime::Signals& signals);
  ~App();

  // Listens on both ports and begins to reflect. An Error says which port could not be had.
  Result<void> Start();

  // Until SIGTERM or SIGINT; then not ready, but serving for the shutdown delay, during which the
  // API servers' connections are closed one response at a time, then the rest (trap A13). A second
  // signal cuts the delay short.
  void Serve();

  std::uint16_t port() const { return server_->port(); }
  std::uint16_t health_port() const { return health_server_->port(); }

 private:
  void Follow(const kube::ResourceType& type, const kube::Scope& scope, kube::ObjectSink& sink,
              kube::ReflectorSet& reflectors, kube::Tolerated tolerated);
  template <typename T>
  void FollowInto(kube::Store<T>& store, const kube::ResourceType& type);
  void OnClaimTemplates(const kube::ReflectorEvent& event);
  void AddChecks();
  Result<void> StartHealth();
  Result<void> StartAdmission();
  void CountRejection(runtime::Rejection reason);
  runtime::Response AnswerHealth(const runtime::Request& request);

  const runtime::WebhookConfig config_;
  const std::string own_namespace_;
  kube::Transport& transport_;
  runtime::Signals& signals_;
  runtime::Metrics& metrics_;
  runtime::Health health_;
  const std::shared_ptr<runtime::ServerTls> tls_ = std::make_shared<runtime::ServerTls>();
  kube::Store<InferenceService> services_;
  kube::Store<NamespaceRecord> namespaces_;
  kube::Store<ClaimTemplate> claim_templates_;        // followed where claims are counted
  std::atomic<bool> claim_templates_refused_{false};  // and the log said so
  ServingCertificate certificate_;
  Admission admission_;
  // After what they use: they end first.
  kube::ReflectorSet reflectors_;  // of what it decides by; it is ready when they have listed
  kube::ReflectorSet certificate_reflector_;
  std::unique_ptr<runtime::HttpServer> health_server_ = runtime::MakeHttpServer();
  std::unique_ptr<runtime::HttpServer> server_ = runtime::MakeHttpServer();
};

// What main does: reads the configuration, connects, serves. The exit status.
int Main(const std::vector<std::string>& arguments, runtime::Signals& signals);

}  // namespace shm::webhook
