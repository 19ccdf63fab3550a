#include "operator/reconciler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/pod_view.h"
#include "core/service_match.h"
#include "kube/timestamp.h"

namespace shm::controller {
namespace {

using nlohmann::json;

// Nothing in selector mode, and where the template is none: the API server will say what is wrong.
std::optional<PodView> ReadTemplate(const InferenceService& service, const json& spec) {
  if (!service.has_template) return std::nullopt;
  auto view = ReadPodDocument(spec.at("template"));
  if (!view.ok()) return std::nullopt;
  return std::move(view).value();
}

bool Truncate(std::string& text, std::size_t most) {
  if (text.size() <= most) return false;
  // Not in the middle of a UTF-8 sequence.
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return true;
}

}  // namespace

Reconciler::Reconciler(kube::Api& api, const World& world, kube::EventRecorder& events,
                       InstallationDefaults defaults, kube::Clock& clock,
                       Repairer::OnAttempt on_attempt)
    : api_(api),
      world_(world),
      events_(events),
      defaults_(std::move(defaults)),
      clock_(clock),
      children_(api, world, events, clock),
      unwatched_pods_(api, world, clock),
      repairer_(api, events, clock, std::move(on_attempt)) {}

// One object of a shape that the CRD should have refused must not take the others down.
Reconciler::Outcome Reconciler::Reconcile(const kube::ObjectKey& key) {
  try {
    return ReconcileUnguarded(key);
  } catch (const json::exception& error) {
    kube::ApiError malformed;
    malformed.reason = kube::ErrorReason::kMalformed;
    malformed.message = error.what();
    return {malformed, std::nullopt};
  }
}

Reconciler::Outcome Reconciler::ReconcileUnguarded(const kube::ObjectKey& key) {
  const auto record = world_.Service(key);
  if (!record || record->service.deleting) {
    // Its children go by their owner references.
    Forget(key);
    return {};
  }
  const Subject subject{*record, json::parse(record->spec), LastStatus(*record)};
  auto [facts, going] = Observe(*record);
  Outcome outcome;
  if (!facts.invalid) {
    const auto name_space = world_.Namespace(key.namespace_name);
    const auto pods = ReadTemplate(record->service, subject.spec);
    const auto sizing = SizeForService(
        record->service, defaults_,
        name_space ? ReadNamespaceDefaults(name_space->annotations, nullptr) : NamespaceDefaults{},
        pods ? &*pods : nullptr);
    if (sizing.ok()) {
      facts.size = sizing->size;
      facts.size_is_least = record->service.selector.has_value();
      facts.arithmetic = sizing->arithmetic;
      facts.gpus_per_pod = sizing->gpus_per_pod;
      Children::Step step = children_.Advance(*record, subject.spec, subject.status, *sizing);
      facts.children = std::move(step.outcome);
      outcome = {std::move(step.error), step.again};
    } else {
      facts.invalid = sizing.error();
    }
  }
  Repair(subject, facts, going, outcome);
  TellOfDrift(subject, facts);
  if (const auto error = WriteStatus(subject, facts)) outcome.error = error;
  return outcome;
}

std::pair<StatusFacts, int> Reconciler::Observe(const ServiceRecord& record) {
  StatusFacts facts;
  facts.invalid = record.invalid;
  ServicePods pods = world_.PodsOf(record.service);
  if (record.service.selector) {
    const auto name_space = world_.Namespace(record.service.namespace_name);
    facts.namespace_enabled = name_space && name_space->enabled;
    facts.older_overlap = OlderOverlap(record.service);
    if (facts.namespace_enabled) unwatched_pods_.AddTo(record.service, pods);
  } else {
    facts.pod_creation_failure = world_.CreationFailure(KeyOf(record));
  }
  facts.pods = std::move(pods.pods);
  return {std::move(facts), pods.going};
}

// Pods that no watch shows are looked for again after a while, whatever the policy.
void Reconciler::Repair(const Subject& subject, StatusFacts& facts, int going, Outcome& outcome) {
  const ServiceRecord& record = subject.record;
  if (record.service.selector && facts.namespace_enabled) outcome.again = UnwatchedPods::kInterval;
  if (record.service.repair != RepairPolicy::kRestart) {
    repairer_.Forget(KeyOf(record));
    return;
  }
  const Repairer::Step step = repairer_.Advance(record, subject.status, facts, going);
  facts.repair = step.outcome;
  if (step.again_ms) {
    const std::chrono::milliseconds again{*step.again_ms};
    outcome.again = outcome.again ? std::min(*outcome.again, again) : again;
  }
  if (step.evicted) unwatched_pods_.Expire(KeyOf(record));
}

// When their number changes; the status says so for as long as there are any.
void Reconciler::TellOfDrift(const Subject& subject, const StatusFacts& facts) {
  const auto unsized = std::count_if(facts.pods.begin(), facts.pods.end(), IsUnsized);
  const json& last = subject.status;
  if (unsized == 0 ||
      (last.is_object() && last.value("/sharedMemory/unsized"_json_pointer, 0) == unsized)) {
    return;
  }
  events_.Record(ReferenceTo(subject.record), kube::EventType::kWarning, "PodsUnsized",
                 std::to_string(unsized) + " of " + std::to_string(facts.pods.size()) +
                     " pods started without the webhook and have no shared memory from it");
}

// An older one takes pods from this one if it selects all that this one does, or if a pod is seen
// that both match. Which pods may come otherwise, nobody can tell.
std::string Reconciler::OlderOverlap(const InferenceService& service) const {
  const auto pods = world_.SelectedPods(service);
  for (const auto& record : world_.ServicesIn(service.namespace_name)) {
    const InferenceService& other = record->service;
    if (other.deleting || !other.selector || !IsOlder(other, service)) continue;
    const auto takes = [&other](const auto& pod) {
      return !pod->ended && other.selector->Matches(pod->labels);
    };
    if (Implies(*service.selector, *other.selector) ||
        std::any_of(pods.begin(), pods.end(), takes)) {
      return other.name;
    }
  }
  return "";
}

// What the watch shows may be older than what was written last.
json Reconciler::LastStatus(const ServiceRecord& record) {
  {
    MutexLock lock(mutex_);
    const auto written = written_.find(KeyOf(record));
    if (written != written_.end()) {
      if (written->second.read_at == record.service.resource_version) {
        return json::parse(written->second.status);
      }
      written_.erase(written);
    }
  }
  return json::parse(record.status);
}

std::optional<kube::ApiError> Reconciler::WriteStatus(const Subject& subject,
                                                      const StatusFacts& facts) {
  const ServiceRecord& record = subject.record;
  json wanted = BuildStatus(record.service, facts, subject.status, kube::Time(clock_.WallNow()));
  for (json& condition : wanted["conditions"]) {
    // The CRD's bound on a message, with room for what escaping adds.
    std::string message = condition["message"];
    if (Truncate(message, 4096)) condition["message"] = message;
  }
  if (wanted == subject.status) return std::nullopt;
  const auto result =
      api_.ApplyStatus(kube::InferenceServices(), KeyOf(record), json{{"status", wanted}});
  if (result.Is(kube::ErrorReason::kNotFound)) return std::nullopt;
  if (!result.ok()) return result.error();
  MutexLock lock(mutex_);
  written_[KeyOf(record)] = {wanted.dump(), record.service.resource_version};
  return std::nullopt;
}

void Reconciler::Forget(const kube::ObjectKey& key) {
  children_.Forget(key);
  unwatched_pods_.Forget(key);
  repairer_.Forget(key);
  MutexLock lock(mutex_);
  written_.erase(key);
}

}  // namespace shm::controller
