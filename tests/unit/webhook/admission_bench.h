// What the tests of the admission share: an Admission over stores that a test fills, and reviews.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/base64.h"
#include "webhook/admission.h"

namespace shm::webhook {

using nlohmann::json;
using Decision = std::function<PodDecision(const PodView&, const PodContext&)>;

inline json Named(const std::string& namespace_name, const std::string& name) {
  return {
      {"metadata",
       {{"namespace", namespace_name}, {"name", name}, {"uid", name}, {"resourceVersion", "1"}}}};
}

inline PodDecision Decided(Outcome outcome, std::string message = "") {
  PodDecision decision;
  decision.outcome = outcome;
  decision.reason = Reason::kSized;
  decision.message = std::move(message);
  decision.notes = {{Reason::kEnvFrom, "careful"}};
  if (outcome == Outcome::kInjected) {
    decision.patch = {{PatchOperation::Kind::kAdd, {"metadata", "labels"}, "{}"}};
  }
  return decision;
}

inline constexpr char kPatch[] = R"([{"op":"add","path":"/metadata/labels","value":{}}])";

// Injects whatever belongs to a known InferenceService, or to none by its label.
inline PodDecision InjectKnown(const PodView& pod, const PodContext& context) {
  const std::string* label = pod.Label("shm-operator.dev/service");
  if (label != nullptr && context.services.empty()) {
    PodDecision decision =
        Decided(Outcome::kUnknownService, "no " + *label + " in " + context.namespace_name);
    decision.reason = Reason::kUnknownService;
    decision.service = *label;
    return decision;
  }
  return Decided(Outcome::kInjected);
}

// An Admission over stores that hold what a test puts there, and a decision of the test's.
struct Bench {
  explicit Bench(Decision decide = InjectKnown, bool synced = true,
                 std::chrono::milliseconds wait = std::chrono::milliseconds(0), int waiters = 2) {
    AdmissionOptions options;
    options.decide = std::move(decide);
    options.wait = wait;
    options.waiters = waiters;
    admission = std::make_unique<Admission>(AdmissionSources{services, namespaces}, metrics,
                                            std::move(options));
    services.BeginList();
    namespaces.BeginList();
    if (!synced) return;
    services.EndList();
    namespaces.EndList();
  }

  void Add(const std::string& namespace_name, const std::string& name) {
    services.Upsert({namespace_name, name}, Named(namespace_name, name));
  }

  runtime::Response Post(const std::string& path, const std::string& body) {
    runtime::Request request{};
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.first_byte = std::chrono::steady_clock::now();
    return admission->Answer(request);
  }

  bool Counted(const std::string& entry, const std::string& outcome, const std::string& reason) {
    return metrics.Exposition().find("shm_webhook_requests_total{entry=\"" + entry +
                                     "\",outcome=\"" + outcome + "\",reason=\"" + reason +
                                     "\"} 1") != std::string::npos;
  }

  kube::Store<InferenceService> services{[](const json& object) -> Result<InferenceService> {
    InferenceService service;
    service.name = object["metadata"]["name"];
    if (service.name.starts_with("selecting")) service.selector = LabelSelector{};
    return service;
  }};
  kube::Store<NamespaceRecord> namespaces{ParseNamespaceRecord};
  runtime::Metrics metrics;
  std::unique_ptr<Admission> admission;
};

inline json Review(const json& changes = json::object()) {
  json review = json::parse(R"({
    "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
    "request": {"uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "namespace": "llm", "operation": "CREATE",
                "object": {"metadata": {"generateName": "a-"},
                           "spec": {"containers": [{"name": "c"}]}}}})");
  review.merge_patch(changes);
  return review;
}

inline json Labelled(const std::string& service) {
  return Review(
      {{"request",
        {{"object", {{"metadata", {{"labels", {{"shm-operator.dev/service", service}}}}}}}}}});
}

inline json ResponseOf(const runtime::Response& response) {
  REQUIRE(response.status == 200);
  REQUIRE(response.content_type == "application/json");
  return json::parse(response.body)["response"];
}

}  // namespace shm::webhook
