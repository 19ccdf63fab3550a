#include "operator/children.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

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

Children::Step Failed(const kube::ApiError& error) {
  // What a broken connection or a failing server says differs from time to time, and each change of
  // the status is a change to be looked at: the log has the words.
  const bool stable = error.code >= 400 && error.code < 500;
  std::string words(stable ? error.ToString() : kube::ErrorReasonName(error.reason));
  return {{State::kFailed, std::move(words), 0, 0}, error};
}

Children::Step TemplateInvalid(const std::string& words) {
  return {{State::kTemplateInvalid, words, 0, 0}, {}, kRefusalInterval};
}

// Whether a stamp has every number that is wanted, of whatever value.
bool HasNumbersOf(const Stamp& stamp, const Stamp& wanted) {
  const auto has = [](const auto& one, const auto& other) { return one || !other; };
  return has(stamp.shm_size, wanted.shm_size) && has(stamp.gpu_count, wanted.gpu_count) &&
         has(stamp.degrees.tensor_parallel, wanted.degrees.tensor_parallel) &&
         has(stamp.degrees.pipeline_parallel, wanted.degrees.pipeline_parallel) &&
         has(stamp.degrees.data_parallel, wanted.degrees.data_parallel);
}

}  // namespace

Children::Children(kube::Api& api, const World& world, kube::EventRecorder& events,
                   kube::Clock& clock)
    : api_(api), world_(world), events_(events), clock_(clock) {}

Children::Step Children::Advance(const ServiceRecord& record, const json& spec, const json& status,
                                 const ServiceSizing& sizing) {
  if (!record.service.has_template) return {{State::kNotWanted, "", 0, 0}};
  const kube::ObjectKey key = KeyOf(record);
  Applied applied;
  {
    MutexLock lock(mutex_);
    const auto found = applied_.find(key);
    if (found != applied_.end()) applied = found->second;
  }
  Step step = Apply(record, spec, status, sizing, applied);
  MutexLock lock(mutex_);
  applied_[key] = std::move(applied);
  return step;
}

Children::Step Children::Apply(const ServiceRecord& record, const json& spec, const json& status,
                               const ServiceSizing& sizing, Applied& applied) {
  const json deployment = BuildDeployment(record.service, spec, StampFor(record, sizing));
  if (auto problem = ApplyDeployment(record, status, deployment, applied)) return *problem;
  const json service = BuildService(record.service, spec);
  if (auto problem = ApplyService(record, status, service, applied.service)) return *problem;

  Step step{{State::kApplied, "", spec.value("replicas", 1), 0}};
  const auto live = world_.Deployment(KeyOf(record));
  if (live) step.outcome.ready_replicas = live->ready_replicas;
  // One that was made and deleted before a watch showed it is missed by then.
  if (!live || !world_.KubeService(KeyOf(record))) step.again = kWatchLag;
  return step;
}

// Stamped numbers change only with the generation: an upgrade of ours, or a changed default, never
// restarts a model. A stamp without a number that the spec wants has lost it to somebody.
Stamp Children::StampFor(const ServiceRecord& record, const ServiceSizing& sizing) const {
  Stamp wanted{record.service.generation, sizing.size, sizing.gpus_per_pod, sizing.degrees};
  const auto live = world_.Deployment(KeyOf(record));
  if (live && live->owner_uid == record.service.uid && live->stamp &&
      live->stamp->generation == record.service.generation && HasNumbersOf(*live->stamp, wanted)) {
    return *live->stamp;
  }
  return wanted;
}

// Whether the child needs no call: what we have applied of it is what is wanted, or the watch has
// yet to show what was done.
bool Children::IsSettled(const ChildRecord* live, FieldsDigest wanted,
                         AppliedChild& applied) const {
  if (live) applied.seen = true;
  if (live && live->owned == wanted) return true;
  if (wanted != applied.wanted) return false;
  if (live && live->owned == applied.owned) return true;
  const bool late = live ? live->resource_version == applied.read_at : !applied.seen;
  return late && kube::MonotonicMs(clock_) - applied.at_ms < kWatchLag.count();
}

Children::AppliedChild Children::Remember(FieldsDigest wanted, const json& result,
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
kube::ApiResult<json> Children::ApplyChild(const ServiceRecord& record,
                                           const kube::ResourceType& type, const ChildRecord* live,
                                           const json& wanted) {
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
kube::ApiResult<json> Children::ApplyOver(const kube::ObjectKey& key,
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

Children::Step Children::NameTaken(const ServiceRecord& record, const json& status,
                                   const kube::ResourceType& type) {
  Step taken{{State::kNameTaken, "", 0, 0}, {}, kRefusalInterval};
  taken.outcome.message =
      type.kind + " " + record.service.name +
      " exists and is not controlled by this InferenceService; delete or rename one";
  const json* ready = FindCondition(status, "Ready");
  if (!ready || ready->value("reason", "") != "NameTaken") {
    events_.Record(ReferenceTo(record), kube::EventType::kWarning, "NameTaken",
                   taken.outcome.message);
  }
  return taken;
}

std::optional<Children::Step> Children::ApplyDeployment(const ServiceRecord& record,
                                                        const json& status, const json& wanted,
                                                        Applied& applied) {
  const auto live = world_.Deployment(KeyOf(record));
  const FieldsDigest digest = DigestOf(wanted);
  if (digest == applied.refused &&
      kube::MonotonicMs(clock_) - applied.refused_at_ms < kRefusalInterval.count()) {
    return TemplateInvalid(applied.refusal);
  }
  if (IsSettled(live.get(), digest, applied.deployment)) return std::nullopt;

  const auto result = ApplyChild(record, kube::Deployments(), live.get(), wanted);
  if (result.Is(kube::ErrorReason::kAlreadyExists)) {
    return NameTaken(record, status, kube::Deployments());
  }
  if (!result.ok()) {
    return IsAuthorsFault(result.error()) ? Refused(record, digest, result.error().message, applied)
                                          : Failed(result.error());
  }
  if (!live) {
    events_.Record(ReferenceTo(record), kube::EventType::kNormal, "Created", "made the Deployment");
  }
  applied.refused = 0;
  applied.deployment = Remember(digest, *result, live.get());
  return std::nullopt;
}

Children::Step Children::Refused(const ServiceRecord& record, FieldsDigest wanted,
                                 const std::string& words, Applied& applied) {
  const bool told = wanted == applied.refused && words == applied.refusal;
  applied.refused = wanted;
  applied.refusal = words;
  applied.refused_at_ms = kube::MonotonicMs(clock_);
  if (!told) {
    events_.Record(ReferenceTo(record), kube::EventType::kWarning, "TemplateInvalid", words);
  }
  return TemplateInvalid(words);
}

std::optional<Children::Step> Children::ApplyService(const ServiceRecord& record,
                                                     const json& status, const json& wanted,
                                                     AppliedChild& applied) {
  const auto live = world_.KubeService(KeyOf(record));
  const FieldsDigest digest = DigestOf(wanted);
  if (IsSettled(live.get(), digest, applied)) return std::nullopt;
  const auto result = ApplyChild(record, kube::Services(), live.get(), wanted);
  if (result.Is(kube::ErrorReason::kAlreadyExists)) {
    return NameTaken(record, status, kube::Services());
  }
  if (!result.ok()) return Failed(result.error());
  applied = Remember(digest, *result, live.get());
  return std::nullopt;
}

void Children::Forget(const kube::ObjectKey& service) {
  MutexLock lock(mutex_);
  applied_.erase(service);
}

}  // namespace shm::controller
