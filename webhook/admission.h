// Answers the API server's question about a pod: from memory, and in doubt with yes.
//
// Denied are only pods whose label names an InferenceService that does not exist, on the labelled
// entry, and those that a policy refuses. Every failure inside admits the pod unchanged, with a
// warning and a counted reason: a patch that does not apply would reject the pod even where the
// webhook may fail (trap A1). A pod of a namespace that the stores do not follow is left alone: the
// webhook's configuration should have kept it away.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/claim_template.h"
#include "core/mutation.h"
#include "kube/store.h"
#include "runtime/http_server.h"
#include "runtime/metrics.h"
#include "webhook/admission_metrics.h"
#include "webhook/namespace_record.h"
#include "webhook/review.h"

namespace shm::webhook {

inline constexpr char kLabelledPath[] = "/mutate/labelled";
inline constexpr char kNamespacePath[] = "/mutate/namespace";

struct AdmissionSources {
  const kube::Store<InferenceService>& services;
  const kube::Store<NamespaceRecord>& namespaces;
  const kube::Store<ClaimTemplate>* claim_templates = nullptr;  // null: claims are not counted
};

struct AdmissionOptions {
  InstallationDefaults installation;
  // How long a pod that names an unknown InferenceService by label, or an unknown
  // ResourceClaimTemplate, waits for the cache: the pod may be faster than the watch.
  std::chrono::milliseconds wait{500};
  // How many may wait at once; the next ones are answered from what is known. Fewer than the
  // server has threads, so that strangers' labels cannot hold up everybody's pods.
  int waiters = 2;
  // The decision; tests put others in its place.
  std::function<PodDecision(const PodView&, const PodContext&)> decide = DecidePod;
};

// Thread-safe. The sources and the metrics must outlive it.
class Admission {
 public:
  Admission(AdmissionSources sources, runtime::Metrics& metrics, AdmissionOptions options);

  // POST of an AdmissionReview to one of the two paths. A body that is no review is answered with
  // 400 and the reason; one that has a uid with a review, whatever else is wrong with it.
  runtime::Response Answer(const runtime::Request& request);

  // Whether the caches are complete for a namespace. Until then only what a pod says itself is
  // known, and nothing is denied for what is not. ResourceClaimTemplates have no part in it.
  bool Ready(const std::string& name_space) const {
    return sources_.services.HasSynced({name_space, ""}) &&
           sources_.namespaces.HasSynced({"", name_space});
  }

 private:
  using Entry = AdmissionMetrics::Entry;
  struct Verdict;
  struct Known;

  Verdict Judge(Entry entry, std::string_view body, ReviewFacts& facts);
  Verdict JudgePod(Entry entry, const PodView& pod, const ReviewFacts& facts);
  PodDecision Decide(const PodView& pod, const Known& known) const;
  Known Look(const PodView& pod, const std::string& namespace_name);
  void LookForTemplates(const PodView& pod, Known& known);
  template <typename T>
  std::shared_ptr<const T> WaitFor(const kube::Store<T>& store, const std::string& namespace_name,
                                   const std::string& name);
  void Record(Entry entry, const Verdict& verdict, const ReviewFacts& facts,
              const runtime::Request& request);

  const AdmissionSources sources_;
  AdmissionMetrics metrics_;
  const AdmissionOptions options_;
  std::atomic<int> waiting_{0};
};

}  // namespace shm::webhook
