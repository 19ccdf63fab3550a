// What the operator keeps in memory of each object that it watches: the few facts it decides by.
//
// Parse functions read an object as the API server sends it. What they do not know they ignore.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/children.h"
#include "core/inference_service.h"
#include "core/owned_fields.h"
#include "core/service_status.h"
#include "core/string_map.h"
#include "kube/event_recorder.h"
#include "kube/resource.h"

namespace shm::controller {

// An InferenceService. `invalid` is set where its spec cannot be read: the CRD refuses such
// objects, unless they were stored before it did.
struct ServiceRecord {
  InferenceService service;
  std::optional<Error> invalid;
  std::string spec;    // compact JSON
  std::string status;  // compact JSON, "null" where there is none
};

kube::ObjectKey KeyOf(const ServiceRecord& record);
// For Events about it.
kube::ObjectReference ReferenceTo(const ServiceRecord& record);

// A child: an object that carries the label of an InferenceService.
struct ChildRecord {
  std::string name;
  std::string namespace_name;
  std::string uid;
  std::string owner_uid;  // of the controlling owner reference; empty where there is none
  std::string resource_version;
  std::int64_t generation = 0;           // 0 for kinds without one (Service)
  std::int64_t observed_generation = 0;  // of the Deployment's status
  int replicas = 0;                      // wanted by the Deployment's spec
  int ready_replicas = 0;                // of the present template, as far as its status tells
  std::optional<Stamp> stamp;            // of a Deployment, as we applied it
  FieldsDigest owned = 0;                // of what we have applied of it, as it stands
};

struct PodRecord {
  std::string name;
  std::string namespace_name;
  std::string service;  // the label's value; empty where it is not tied by label
  StringMap labels;
  PodFacts facts;
  bool ended = false;  // being deleted, Succeeded or Failed: does not count
  bool going = false;  // being deleted
};

struct NamespaceRecord {
  std::string name;
  bool enabled = false;   // carries shm-operator.dev/injection=enabled
  StringMap annotations;  // ours alone
};

// An Event that says why pods of a ReplicaSet could not be created.
struct FailureRecord {
  std::string namespace_name;
  std::string replica_set;
  std::string message;
  std::string last_seen;  // RFC 3339
};

Result<ServiceRecord> ParseServiceRecord(const nlohmann::json& object);
// What children of both kinds have: names, owner, versions and what is ours.
ChildRecord ParseChild(const nlohmann::json& object);
Result<ChildRecord> ParseDeployment(const nlohmann::json& object);
Result<ChildRecord> ParseService(const nlohmann::json& object);
Result<PodRecord> ParsePod(const nlohmann::json& object);
Result<NamespaceRecord> ParseNamespace(const nlohmann::json& object);
Result<FailureRecord> ParseFailure(const nlohmann::json& object);

}  // namespace shm::controller
