// The objects that the operator makes for an InferenceService with a template.
//
// Pure: what is wanted, not what is there. The JSON is the apply configuration itself, so it names
// every field that the operator owns and no other.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/inference_service.h"

namespace shm {

// The numbers written into a Deployment's pod template, so that a webhook replica with a stale
// cache cannot size a new pod by old ones.
struct Stamp {
  std::int64_t generation = 0;           // of the InferenceService it was computed from
  std::optional<std::int64_t> shm_size;  // bytes; unset in mode Disabled
  std::optional<int> gpu_count;          // GPUs in each pod
  Degrees degrees;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

// The apply configuration of the Deployment. `spec` is the InferenceService's spec as stored, with
// a template. Same input, same bytes.
nlohmann::json BuildDeployment(const InferenceService& service, const nlohmann::json& spec,
                               const Stamp& stamp);

// The apply configuration of the Service: port `http` of the engine (spec.port, else 8000).
nlohmann::json BuildService(const InferenceService& service, const nlohmann::json& spec);

// The stamp that a live Deployment carries; nothing where it carries none that can be read.
std::optional<Stamp> ReadStamp(const nlohmann::json& deployment);

// The selector of the pods of `service` as `kubectl get -l` takes it, for the scale subresource.
// Empty where the selector of a selector-mode InferenceService is empty.
std::string SelectorText(const InferenceService& service);

}  // namespace shm
