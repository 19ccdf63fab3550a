#include "operator/reconciler.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/names.h"
#include "core/pod_view.h"
#include "core/service_match.h"
#include "kube/timestamp.h"

namespace shm::controller {
namespace {

using nlohmann::json;
using State = ChildrenOutcome::State;

// How long a watch may take to show what was made.
constexpr std::chrono::milliseconds kWatchLag{5000};

// How often it is tried again where others may have made room and no watch shows it: a name that
// another object held, a policy that refused the Deployment.
constexpr std::chrono::milliseconds kRefusalInterval{60'000};

kube::ApiError Taken() {
  kube::ApiError error;
  error.reason = kube::ErrorReason::kAlreadyExists;
  return error;
}

kube::ObjectKey KeyOf(const ServiceRecord& record) {
  return {record.service.namespace_name, record.service.name};
}

// What only the author of the InferenceService can mend. Server-side apply answers a field that it
// does not know with 500 (kubernetes/apimachinery managedfields: "failed to create typed patch
// object"), whatever fieldValidation says.
bool IsAuthorsFault(const kube::ApiError& error) {
  return error.reason == kube::ErrorReason::kInvalid ||
         error.reason == kube::ErrorReason::kBadRequest ||
         error.message.rfind("failed to create typed patch object", 0) == 0;
}

// Whether a cause names the field or something within it.
bool IsAtFault(const kube::ApiError& error, const std::string& field) {
  return std::any_of(error.causes.begin(), error.causes.end(), [&field](const auto& cause) {
    return cause.field.rfind(field, 0) == 0 &&
           (cause.field.size() == field.size() || cause.field[field.size()] == '.' ||
            cause.field[field.size()] == '[');
  });
}

ChildrenOutcome Failed(const kube::ApiError& error, std::optional<kube::ApiError>& retry) {
  retry = error;
  // What a broken connection or a failing server says differs from time to time, and each change of
  // the status is a change to be looked at: the log has the words.
  const bool stable = error.code >= 400 && error.code < 500;
  return {State::kFailed,
          stable ? error.ToString() : std::string(kube::ErrorReasonName(error.reason)), 0, 0};
}

ChildrenOutcome TemplateInvalid(const std::string& words) {
  return {State::kTemplateInvalid, words, 0, 0};
}

// Nothing in selector mode, and where the template is none: the API server will say what is wrong.
std::optional<PodView> ReadTemplate(const InferenceService& service, const json& spec) {
  if (!service.has_template) return std::nullopt;
  auto view = ReadPodDocument(spec.at("template"));
  if (!view.ok()) return std::nullopt;
  return std::move(view).value();
}

// Whether a status has the condition with this reason.
bool Says(const json& status, const char* type, const char* reason) {
  if (!status.is_object()) return false;
  const json conditions = status.value("conditions", json::array());
  return std::any_of(conditions.begin(), conditions.end(), [&](const json& condition) {
    return condition.value("type", "") == type && condition.value("reason", "") == reason;
  });
}

// Whether a stamp has every number that is wanted, of whatever value.
bool HasNumbersOf(const Stamp& stamp, const Stamp& wanted) {
  const auto has = [](const auto& one, const auto& other) { return one || !other; };
  return has(stamp.shm_size, wanted.shm_size) && has(stamp.gpu_count, wanted.gpu_count) &&
         has(stamp.degrees.tensor_parallel, wanted.degrees.tensor_parallel) &&
         has(stamp.degrees.pipeline_parallel, wanted.degrees.pipeline_parallel) &&
         has(stamp.degrees.data_parallel, wanted.degrees.data_parallel);
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
      facts.children = ReconcileChildren(subject, *sizing, outcome.error);
      // One that was made and deleted before a watch showed it is missed by then.
      const bool shown = world_.Deployment(key) && world_.KubeService(key);
      if (facts.children.state == State::kApplied && !shown) outcome.again = kWatchLag;
      if (facts.children.state == State::kNameTaken ||
          facts.children.state == State::kTemplateInvalid) {
        outcome.again = kRefusalInterval;
      }
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
  Tell(subject.record, kube::EventType::kWarning, "PodsUnsized",
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

// Stamped numbers change only with the generation: an upgrade of ours, or a changed default, never
// restarts a model. A stamp without a number that the spec wants has lost it to somebody.
Stamp Reconciler::StampFor(const ServiceRecord& record, const ServiceSizing& sizing) const {
  Stamp wanted{record.service.generation, sizing.size, sizing.gpus_per_pod, sizing.degrees};
  const auto live = world_.Deployment(KeyOf(record));
  if (live && live->owner_uid == record.service.uid && live->stamp &&
      live->stamp->generation == record.service.generation && HasNumbersOf(*live->stamp, wanted)) {
    return *live->stamp;
  }
  return wanted;
}

ChildrenOutcome Reconciler::ReconcileChildren(const Subject& subject, const ServiceSizing& sizing,
                                              std::optional<kube::ApiError>& retry) {
  const auto& [record, spec, status] = subject;
  if (!record.service.has_template) return {State::kNotWanted, "", 0, 0};
  const kube::ObjectKey key = KeyOf(record);
  Applied applied = TakeApplied(key);
  auto problem = ApplyDeployment(
      subject, BuildDeployment(record.service, spec, StampFor(record, sizing)), applied, retry);
  if (!problem) problem = ApplyService(subject, BuildService(record.service, spec), applied, retry);
  KeepApplied(key, std::move(applied));
  if (problem) return *problem;

  ChildrenOutcome outcome{State::kApplied, "", spec.value("replicas", 1), 0};
  if (const auto live = world_.Deployment(key)) outcome.ready_replicas = live->ready_replicas;
  return outcome;
}

// Whether the child needs no call: what we have applied of it is what is wanted, or the watch has
// yet to show what was done.
bool Reconciler::IsSettled(const ChildRecord* live, FieldsDigest wanted,
                           AppliedChild& applied) const {
  if (live) applied.seen = true;
  if (live && live->owned == wanted) return true;
  if (wanted != applied.wanted) return false;
  if (live && live->owned == applied.owned) return true;
  const bool late = live ? live->resource_version == applied.read_at : !applied.seen;
  return late && kube::MonotonicMs(clock_) - applied.at_ms < kWatchLag.count();
}

Reconciler::AppliedChild Reconciler::Remember(FieldsDigest wanted, const json& result,
                                              const ChildRecord* live) const {
  AppliedChild applied;
  applied.wanted = wanted;
  applied.owned = ParseChild(result).owned;
  applied.read_at = live ? live->resource_version : "";
  applied.seen = live != nullptr;
  applied.at_ms = kube::MonotonicMs(clock_);
  return applied;
}

// An object of that name which is not ours is never taken over. The watch shows only objects with
// our label, so where it shows none the apply may make one, but not change one.
kube::ApiResult<json> Reconciler::ApplyChild(const ServiceRecord& record,
                                             const kube::ResourceType& type,
                                             const ChildRecord* live, const json& wanted) {
  if (live && live->owner_uid != record.service.uid) return Taken();
  if (live) return ApplyOver(KeyOf(record), type, live->uid, wanted);
  kube::ApplyOptions options;
  options.only_create = true;
  auto made = api_.Apply(type, KeyOf(record), wanted, options);
  if (!made.Is(kube::ErrorReason::kConflict)) return made;
  // There is one: ours, if our label was taken off it or the watch is late.
  const auto found = api_.Get(type, KeyOf(record));
  if (!found.ok()) return found.error();
  const ChildRecord child = ParseChild(*found);
  if (child.owner_uid != record.service.uid) return Taken();
  return ApplyOver(KeyOf(record), type, child.uid, wanted);
}

// An apply leaves what others own, and that may not go with ours: a port that somebody renumbered
// stands beside ours of the same name, defaults of a rolling update beside Recreate. Refused
// therefore, our value is put in the place of each field that is at fault, and of no other. What is
// invalid by itself is refused again.
kube::ApiResult<json> Reconciler::ApplyOver(const kube::ObjectKey& key,
                                            const kube::ResourceType& type, const std::string& uid,
                                            json wanted) {
  wanted["metadata"]["uid"] = uid;  // not one that was made under its name since
  auto applied = api_.Apply(type, key, wanted, {});
  if (!applied.Is(kube::ErrorReason::kInvalid)) return applied;
  json patch = json::array({{{"op", "test"}, {"path", "/metadata/uid"}, {"value", uid}}});
  for (const auto& [field, value] : wanted.at("spec").items()) {
    if (!IsAtFault(applied.error(), "spec." + field)) continue;
    patch.push_back({{"op", "add"}, {"path", "/spec/" + field}, {"value", value}});
  }
  if (patch.size() == 1) return applied;
  const auto patched = api_.Patch(type, key, kube::PatchType::kJson, patch, {});
  if (patched.Is(kube::ErrorReason::kInvalid)) return applied;
  if (!patched.ok()) return patched.error();
  return api_.Apply(type, key, wanted, {});
}

ChildrenOutcome Reconciler::NameTaken(const Subject& subject, const kube::ResourceType& type) {
  const ServiceRecord& record = subject.record;
  ChildrenOutcome taken{State::kNameTaken, "", 0, 0};
  taken.message = type.kind + " " + record.service.name +
                  " exists and is not controlled by this InferenceService; delete or rename one";
  if (!Says(subject.status, "Ready", "NameTaken")) {
    Tell(record, kube::EventType::kWarning, "NameTaken", taken.message);
  }
  return taken;
}

std::optional<ChildrenOutcome> Reconciler::ApplyDeployment(const Subject& subject,
                                                           const json& wanted, Applied& applied,
                                                           std::optional<kube::ApiError>& retry) {
  const ServiceRecord& record = subject.record;
  const auto live = world_.Deployment(KeyOf(record));
  const FieldsDigest digest = DigestOf(wanted);
  if (digest == applied.refused &&
      kube::MonotonicMs(clock_) - applied.refused_at_ms < kRefusalInterval.count()) {
    return TemplateInvalid(applied.refusal);
  }
  if (IsSettled(live.get(), digest, applied.deployment)) return std::nullopt;

  const auto result = ApplyChild(record, kube::Deployments(), live.get(), wanted);
  if (result.Is(kube::ErrorReason::kAlreadyExists)) return NameTaken(subject, kube::Deployments());
  if (!result.ok()) {
    if (!IsAuthorsFault(result.error())) return Failed(result.error(), retry);
    const bool told = digest == applied.refused && result.error().message == applied.refusal;
    applied.refused = digest;
    applied.refused_at_ms = kube::MonotonicMs(clock_);
    applied.refusal = result.error().message;
    if (!told) Tell(record, kube::EventType::kWarning, "TemplateInvalid", applied.refusal);
    return TemplateInvalid(applied.refusal);
  }
  if (!live) Tell(record, kube::EventType::kNormal, "Created", "made the Deployment");
  applied.refused = 0;
  applied.deployment = Remember(digest, *result, live.get());
  return std::nullopt;
}

std::optional<ChildrenOutcome> Reconciler::ApplyService(const Subject& subject, const json& wanted,
                                                        Applied& applied,
                                                        std::optional<kube::ApiError>& retry) {
  const ServiceRecord& record = subject.record;
  const auto live = world_.KubeService(KeyOf(record));
  const FieldsDigest digest = DigestOf(wanted);
  if (IsSettled(live.get(), digest, applied.service)) return std::nullopt;
  const auto result = ApplyChild(record, kube::Services(), live.get(), wanted);
  if (result.Is(kube::ErrorReason::kAlreadyExists)) return NameTaken(subject, kube::Services());
  if (!result.ok()) return Failed(result.error(), retry);
  applied.service = Remember(digest, *result, live.get());
  return std::nullopt;
}

// What the watch shows may be older than what was written last.
json Reconciler::LastStatus(const ServiceRecord& record) {
  std::string written;
  {
    MutexLock lock(mutex_);
    const auto found = applied_.find(KeyOf(record));
    if (found != applied_.end()) {
      Applied& applied = found->second;
      if (applied.status_read_at != record.service.resource_version) applied.status = {};
      written = applied.status;
    }
  }
  return json::parse(written.empty() ? record.status : written);
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
  Applied applied = TakeApplied(KeyOf(record));
  applied.status = wanted.dump();
  applied.status_read_at = record.service.resource_version;
  KeepApplied(KeyOf(record), std::move(applied));
  return std::nullopt;
}

void Reconciler::Tell(const ServiceRecord& record, kube::EventType type, const char* reason,
                      const std::string& message) {
  events_.Record({names::kApiVersion, names::kKind, KeyOf(record), record.service.uid,
                  record.service.resource_version},
                 type, reason, message);
}

Reconciler::Applied Reconciler::TakeApplied(const kube::ObjectKey& key) {
  MutexLock lock(mutex_);
  const auto found = applied_.find(key);
  return found == applied_.end() ? Applied{} : found->second;
}

void Reconciler::KeepApplied(const kube::ObjectKey& key, Applied applied) {
  MutexLock lock(mutex_);
  applied_[key] = std::move(applied);
}

void Reconciler::Forget(const kube::ObjectKey& key) {
  unwatched_pods_.Forget(key);
  repairer_.Forget(key);
  MutexLock lock(mutex_);
  applied_.erase(key);
}

}  // namespace shm::controller
