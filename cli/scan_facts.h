// What `shmctl scan` keeps of the objects that it reads: no documents.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/defaults.h"
#include "core/inference_service.h"
#include "core/pod_view.h"
#include "core/result.h"

namespace shm::cli {

struct ScannedPod {
  PodView view;
  std::string namespace_name;  // "default" where the object does not say
  std::string phase;           // as its status has it; empty: none yet
  std::string node;            // empty: not scheduled
};

struct NamespaceFacts {
  bool enabled = false;  // carries the label that opens it to the webhook
  NamespaceDefaults defaults;
  std::vector<std::string> warnings;  // about annotations that cannot be used
};

// What a pod's decision depends on beside the pod itself.
struct Surroundings {
  InstallationDefaults installation;
  std::map<std::string, NamespaceFacts> namespaces;  // one that is missing is not known
  // By namespace. Where they could not be read, a pod is decided by its own words.
  std::map<std::string, std::vector<InferenceService>> services;
  bool services_known = true;
};

// It ran to its end (phase Succeeded or Failed): its /dev/shm is gone.
bool HasEnded(const nlohmann::json& pod);

// An Error where core cannot read the pod; its field leads into the pod.
Result<ScannedPod> ReadScannedPod(const nlohmann::json& pod);

NamespaceFacts ReadNamespaceFacts(const nlohmann::json& name_space);

// "NAMESPACE/NAME" of an object, as far as it has them.
std::string NameOf(const nlohmann::json& object);

}  // namespace shm::cli
