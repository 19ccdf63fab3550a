// What a pod's decision depends on beside the pod itself: the commands fill it from manifests, from
// a List or from a cluster.
//
// Plain values and pure functions; safe from any thread while nobody writes them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/claim_template.h"
#include "core/defaults.h"
#include "core/inference_service.h"
#include "core/mutation.h"

namespace shm::cli {

struct NamespaceFacts {
  bool enabled = false;  // carries the label that opens it to the webhook
  NamespaceDefaults defaults;
  std::vector<std::string> warnings;  // about annotations that cannot be used
};

NamespaceFacts ReadNamespaceFacts(const nlohmann::json& name_space);

// By namespace. Of what a pod is to be judged by, one name stands once.
struct Surroundings {
  InstallationDefaults installation;
  std::map<std::string, NamespaceFacts> namespaces;  // one that is missing is not known
  // Where they could not be read, a pod is decided by its own words.
  std::map<std::string, std::vector<InferenceService>> services;
  bool services_known = true;
  // Unset: resource claims are not counted.
  std::optional<std::map<std::string, std::vector<ClaimTemplate>>> claim_templates;

  // What holds for pods of a namespace. Pointers lead into this.
  PodContext ContextOf(const std::string& namespace_name) const;
  // Whether the namespace's label opens it to the webhook; unset: not known.
  std::optional<bool> IsEnabled(const std::string& namespace_name) const;
};

}  // namespace shm::cli
