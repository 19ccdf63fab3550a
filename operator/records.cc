#include "operator/records.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/injection_record.h"
#include "core/names.h"

namespace shm::controller {
namespace {

using nlohmann::json;

const json& At(const json& object, const char* key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string Text(const json& object, const char* key) {
  const json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t Number(const json& object, const char* key) {
  const json& value = At(object, key);
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

StringMap Texts(const json& object) {
  StringMap texts;
  if (!object.is_object()) return texts;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string()) texts.emplace(key, value.get<std::string>());
  }
  return texts;
}

std::string ControllerUid(const json& metadata) {
  for (const json& owner : At(metadata, "ownerReferences")) {
    if (At(owner, "controller") == true) return Text(owner, "uid");
  }
  return "";
}

// Whether something makes another pod when this one is evicted. A Job counts it as a failure
// instead, and a Node "owns" the API server's copies of static pods.
bool HasReplacingController(const json& metadata) {
  for (const json& owner : At(metadata, "ownerReferences")) {
    if (At(owner, "controller") != true) continue;
    const std::string kind = Text(owner, "kind");
    return kind != "Job" && kind != "Node";
  }
  return false;
}

// The webhook's own conditions for a pod to be left out.
bool OptedOut(const json& metadata) {
  return Text(At(metadata, "labels"), names::kInjectLabel) == "false" ||
         !At(At(metadata, "annotations"), names::kMirrorAnnotation).is_null();
}

// The facts that the webhook left in its annotation.
void AddInjection(const std::string& text, PodFacts& facts) {
  auto record = ReadInjection(text);
  if (!record) return;
  facts.shm_size = record->size;
  facts.reasons = std::move(record->reasons);
}

ChildRecord ChildOf(const json& object, const json& owned) {
  const json& metadata = At(object, "metadata");
  ChildRecord child;
  child.name = Text(metadata, "name");
  child.namespace_name = Text(metadata, "namespace");
  child.uid = Text(metadata, "uid");
  child.resource_version = Text(metadata, "resourceVersion");
  child.owner_uid = ControllerUid(metadata);
  child.generation = Number(metadata, "generation");
  child.owned = DigestOf(owned);
  return child;
}

// None where somebody else has changed a number of it: what stands there is not ours then.
std::optional<Stamp> OwnStamp(const json& deployment, const json& owned) {
  auto stamp = ReadStamp(owned);
  if (stamp != ReadStamp(deployment)) return std::nullopt;
  return stamp;
}

}  // namespace

kube::ObjectKey KeyOf(const ServiceRecord& record) {
  return {record.service.namespace_name, record.service.name};
}

kube::ObjectReference ReferenceTo(const ServiceRecord& record) {
  return {names::kApiVersion, names::kKind, KeyOf(record), record.service.uid,
          record.service.resource_version};
}

Result<ServiceRecord> ParseServiceRecord(const json& object) {
  ServiceRecord record;
  auto service = ParseInferenceService(object);
  if (service.ok()) {
    record.service = std::move(service).value();
  } else {
    // Keep what identifies it, so that its status can say what is wrong with it.
    const json& metadata = At(object, "metadata");
    record.invalid = service.error();
    record.service.name = Text(metadata, "name");
    record.service.namespace_name = Text(metadata, "namespace");
    record.service.uid = Text(metadata, "uid");
    record.service.resource_version = Text(metadata, "resourceVersion");
    record.service.generation = Number(metadata, "generation");
    record.service.deleting = !At(metadata, "deletionTimestamp").is_null();
  }
  record.spec = At(object, "spec").dump();
  record.status = At(object, "status").dump();
  // dump() leaves up to twice the room that it needs, and there are many records.
  record.spec.shrink_to_fit();
  record.status.shrink_to_fit();
  return record;
}

ChildRecord ParseChild(const json& object) {
  return ChildOf(object, OwnedFields(object, names::kFieldManager));
}

Result<ChildRecord> ParseDeployment(const json& object) {
  const json owned = OwnedFields(object, names::kFieldManager);
  ChildRecord child = ChildOf(object, owned);
  const json& status = At(object, "status");
  child.observed_generation = Number(status, "observedGeneration");
  child.replicas = static_cast<int>(Number(At(object, "spec"), "replicas"));
  // Until the Deployment controller has seen the present template, its counts are of the last one.
  if (child.observed_generation == child.generation) {
    child.ready_replicas = static_cast<int>(
        std::min(Number(status, "readyReplicas"), Number(status, "updatedReplicas")));
  }
  child.stamp = OwnStamp(object, owned);
  return child;
}

Result<ChildRecord> ParseService(const json& object) { return ParseChild(object); }

Result<PodRecord> ParsePod(const json& object) {
  const json& metadata = At(object, "metadata");
  const json& status = At(object, "status");
  PodRecord pod;
  pod.name = Text(metadata, "name");
  pod.namespace_name = Text(metadata, "namespace");
  pod.labels = Texts(At(metadata, "labels"));
  pod.service = Text(At(metadata, "labels"), names::kServiceLabel);
  pod.facts.name = pod.name;
  const json* ready = FindCondition(status, "Ready");
  pod.facts.ready = ready && Text(*ready, "status") == "True";
  pod.facts.injected = Text(At(metadata, "labels"), names::kInjectedLabel) == "true";
  pod.facts.uid = Text(metadata, "uid");
  pod.facts.created = Text(metadata, "creationTimestamp");
  pod.facts.opted_out = OptedOut(metadata);
  pod.facts.replaceable = HasReplacingController(metadata);
  AddInjection(Text(At(metadata, "annotations"), names::kInjectionAnnotation), pod.facts);
  const std::string phase = Text(status, "phase");
  pod.going = !At(metadata, "deletionTimestamp").is_null();
  pod.ended = pod.going || phase == "Succeeded" || phase == "Failed";
  return pod;
}

Result<NamespaceRecord> ParseNamespace(const json& object) {
  const json& metadata = At(object, "metadata");
  NamespaceRecord record;
  record.name = Text(metadata, "name");
  record.enabled = Text(At(metadata, "labels"), names::kNamespaceLabel) == names::kNamespaceEnabled;
  for (auto& [key, value] : Texts(At(metadata, "annotations"))) {
    if (key.rfind(names::kPrefix, 0) == 0) record.annotations.emplace(key, value);
  }
  return record;
}

Result<FailureRecord> ParseFailure(const json& object) {
  const json& involved = At(object, "involvedObject");
  FailureRecord failure;
  failure.namespace_name = Text(involved, "namespace");
  failure.replica_set = Text(involved, "name");
  failure.message = Text(object, "message");
  failure.last_seen = Text(object, "lastTimestamp");
  return failure;
}

}  // namespace shm::controller
