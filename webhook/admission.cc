#include "webhook/admission.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/names.h"
#include "core/pod_view_builder.h"
#include "runtime/log.h"

namespace shm::webhook {

// What is answered, and how it is counted. `outcome` and `reason` live as long as the process.
struct Admission::Verdict {
  ReviewAnswer answer;
  std::string_view outcome = "unchanged";  // patched, unchanged, skipped, audited, denied, error
  std::string_view reason;
  std::string detail;      // of an error, for the log
  bool no_review = false;  // there is nothing to answer with a review
};

// What memory holds for a pod's namespace; keeps what the context points to.
struct Admission::Known {
  std::vector<std::shared_ptr<const InferenceService>> services;
  std::shared_ptr<const NamespaceRecord> name_space;  // null: not known
  std::string namespace_name;
  std::vector<std::shared_ptr<const ClaimTemplate>> claim_templates{};  // that the pod names
};

namespace {

// Admitted as it is, because something failed that is not the pod's fault.
template <typename Verdict>
Verdict FailOpen(std::string_view reason, std::string detail) {
  Verdict verdict;
  verdict.outcome = "error";
  verdict.answer.warnings = {"shm-operator: admitted without shared memory: " + detail};
  verdict.reason = reason;
  verdict.detail = std::move(detail);
  return verdict;
}

// Why the question is not about a new pod; empty where it is (trap A10).
std::string_view NotOurs(const ReviewFacts& facts) {
  if (!facts.object_group.empty() || facts.object_kind != "Pod") return "NotAPod";
  if (!facts.subresource.empty()) return "Subresource";
  if (facts.operation != "CREATE") return "NotCreate";
  return facts.has_object ? "" : "NoObject";
}

template <typename Verdict>
Verdict NotWatched(const std::string& name_space) {
  Verdict verdict;
  verdict.outcome = "skipped";
  verdict.reason = "NamespaceNotWatched";
  verdict.answer.warnings = {"shm-operator: left as it is: namespace " + name_space +
                             " is not one of its watchNamespaces"};
  return verdict;
}

template <typename Verdict>
Verdict VerdictOf(const PodDecision& decision) {
  if (decision.reason == Reason::kInternal) {
    return FailOpen<Verdict>(ReasonName(decision.reason), decision.message);
  }
  Verdict verdict;
  verdict.reason = ReasonName(decision.reason);
  for (const std::string& warning : decision.Warnings()) {
    verdict.answer.warnings.push_back("shm-operator: " + warning);
  }
  if (decision.audited) {
    verdict.outcome = "audited";
  } else if (decision.outcome == Outcome::kDenied) {
    verdict.outcome = "denied";
    verdict.answer.allowed = false;
    verdict.answer.message = decision.message;
  } else if (decision.outcome == Outcome::kSkipped) {
    verdict.outcome = "skipped";
  } else if (decision.outcome == Outcome::kInjected) {
    verdict.outcome = "patched";
    verdict.answer.patch = RenderJsonPatch(decision.patch);
  }
  return verdict;
}

}  // namespace

Admission::Admission(AdmissionSources sources, runtime::Metrics& metrics, AdmissionOptions options)
    : sources_(sources), metrics_(metrics), options_(std::move(options)) {}

runtime::Response Admission::Answer(const runtime::Request& request) {
  Entry entry = Entry::kLabelled;
  if (request.path == kNamespacePath) {
    entry = Entry::kNamespace;
  } else if (request.path != kLabelledPath) {
    return {404, "text/plain", "there are /mutate/labelled and /mutate/namespace\n", {}};
  }
  if (request.method != "POST") {
    return {405, "text/plain", "POST an AdmissionReview\n", {{"Allow", "POST"}}};
  }
  ReviewFacts facts;
  Verdict verdict;
  // The one place that catches everything: whatever happens inside, the API server gets an answer
  // with its uid.
  try {
    verdict = Judge(entry, request.body, facts);
  } catch (const std::exception& error) {
    verdict = FailOpen<Verdict>("Internal", std::string("internal error: ") + error.what());
  } catch (...) {
    verdict = FailOpen<Verdict>("Internal", "internal error");
  }
  runtime::Response response;
  if (verdict.no_review || facts.uid.empty()) {
    response = {400, "text/plain", verdict.detail + "\n", {}};
  } else {
    response = {200, "application/json", WriteReview(facts.uid, verdict.answer), {}};
  }
  Record(entry, verdict, facts, request);  // last: its latency holds the answer's writing
  return response;
}

Admission::Verdict Admission::Judge(Entry entry, std::string_view body, ReviewFacts& facts) {
  PodViewBuilder builder;
  if (const Result<void> read = ReadReview(body, builder, facts); !read) {
    return FailOpen<Verdict>("Unreadable", read.error().ToString());
  }
  if (const Result<void> checked = CheckReview(facts); !checked) {
    Verdict verdict = FailOpen<Verdict>("NotAReview", checked.error().ToString());
    verdict.no_review = true;
    return verdict;
  }
  if (const std::string_view reason = NotOurs(facts); !reason.empty()) {
    Verdict verdict;
    verdict.outcome = "skipped";
    verdict.reason = reason;
    return verdict;
  }
  const Result<PodView> pod = builder.Take();
  if (!pod) return FailOpen<Verdict>("UnreadablePod", pod.error().ToString());
  return JudgePod(entry, *pod, facts);
}

Admission::Verdict Admission::JudgePod(Entry entry, const PodView& pod, const ReviewFacts& facts) {
  const std::string& where = facts.namespace_name;  // the pod's own may be missing (trap A8)
  if (!sources_.services.Follows({where, ""})) return NotWatched<Verdict>(where);
  const bool ready = Ready(where);
  Known known = Look(pod, where);
  PodDecision decision = Decide(pod, known);
  if (decision.outcome == Outcome::kUnknownService &&
      WaitFor(sources_.services, where, decision.service)) {
    known = Look(pod, where);
    decision = Decide(pod, known);
  }
  const bool unknown = decision.outcome == Outcome::kUnknownService;
  if (unknown && ready && entry == Entry::kLabelled && !decision.audited) {
    decision.outcome = Outcome::kDenied;
  } else if (unknown && !ready) {
    // One that says nothing stands in for it: what the operator stamped into the pod still counts.
    InferenceService silent;
    silent.name = decision.service;
    silent.namespace_name = where;
    known.services = {std::make_shared<const InferenceService>(std::move(silent))};
    decision = Decide(pod, known);
  }
  Verdict verdict = VerdictOf<Verdict>(decision);
  if (known.name_space && decision.outcome == Outcome::kInjected) {
    for (const std::string& warning : known.name_space->warnings) {
      verdict.answer.warnings.push_back("shm-operator: " + warning);
    }
  }
  if (!ready) {
    verdict.answer.warnings.push_back(
        "shm-operator: not all InferenceServices are known yet, the pod's own words count");
  } else if (decision.outcome == Outcome::kUnknownService && !decision.audited) {
    verdict.answer.warnings.push_back("shm-operator: " + decision.message);
  }
  return verdict;
}

// A label settles the matter; else only selectors can match. Most namespaces hold few of either.
Admission::Known Admission::Look(const PodView& pod, const std::string& namespace_name) {
  Known known{{}, sources_.namespaces.Get("", namespace_name), namespace_name};
  LookForTemplates(pod, known);
  if (const std::string* label = pod.Label(names::kServiceLabel)) {
    if (auto service = sources_.services.Get(namespace_name, *label)) {
      known.services.push_back(std::move(service));
    }
    return known;
  }
  const auto listed = sources_.services.List(namespace_name);
  for (const auto& service : *listed) {
    if (service->selector) known.services.push_back(service);
  }
  return known;
}

// Waits for one at most: where several are missing, it is not the watch that is late.
void Admission::LookForTemplates(const PodView& pod, Known& known) {
  const auto* store = sources_.claim_templates;
  if (!store) return;
  bool may_wait = store->HasSynced({known.namespace_name, ""});
  for (const PodClaimView& claim : pod.resource_claims) {
    if (claim.template_name.empty()) continue;
    auto found = store->Get(known.namespace_name, claim.template_name);
    if (!found && std::exchange(may_wait, false)) {
      found = WaitFor(*store, known.namespace_name, claim.template_name);
    }
    if (found) known.claim_templates.push_back(std::move(found));
  }
}

PodDecision Admission::Decide(const PodView& pod, const Known& known) const {
  PodContext context;
  context.namespace_name = known.namespace_name;
  context.services.reserve(known.services.size());
  for (const auto& service : known.services) context.services.push_back(service.get());
  context.installation = options_.installation;
  if (known.name_space) context.name_space = known.name_space->defaults;
  if (sources_.claim_templates) {
    context.claim_templates.emplace();
    for (const auto& one : known.claim_templates) context.claim_templates->push_back(one.get());
  }
  return options_.decide(pod, context);
}

// Null where it does not come, or too many wait already.
template <typename T>
std::shared_ptr<const T> Admission::WaitFor(const kube::Store<T>& store,
                                            const std::string& namespace_name,
                                            const std::string& name) {
  struct Turn {
    std::atomic<int>& waiting;
    const int before = waiting++;
    ~Turn() { --waiting; }
  };
  const Turn turn{waiting_};
  if (turn.before >= options_.waiters) return nullptr;
  return store.WaitFor(namespace_name, name, options_.wait);
}

// Dry runs are answered like others, and nothing outside the process is written (trap A9).
void Admission::Record(Entry entry, const Verdict& verdict, const ReviewFacts& facts,
                       const runtime::Request& request) {
  metrics_.Observe(entry, verdict.outcome, verdict.reason,
                   std::chrono::steady_clock::now() - request.first_byte,
                   verdict.answer.patch.size());
  const bool error = verdict.outcome == "error";
  const std::string_view name = AdmissionMetrics::NameOf(entry);
  if (!error && verdict.answer.allowed) {
    return runtime::LogDebug("pod admitted", {{"entry", name},
                                              {"outcome", verdict.outcome},
                                              {"reason", verdict.reason},
                                              {"namespace", facts.namespace_name},
                                              {"uid", facts.uid}});
  }
  runtime::LogWarn(error ? "review failed" : "pod denied",
                   {{"entry", name},
                    {"reason", verdict.reason},
                    {"detail", error ? verdict.detail : verdict.answer.message},
                    {"namespace", facts.namespace_name},
                    {"uid", facts.uid},
                    {"dry_run", facts.dry_run}});
}

}  // namespace shm::webhook
