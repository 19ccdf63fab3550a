// What is done to one pod: the one engine under webhook, command line and KRM function.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/claim_gpus.h"
#include "core/defaults.h"
#include "core/inference_service.h"
#include "core/json_patch.h"
#include "core/pod_view.h"
#include "core/reason.h"

namespace shm {

struct PodContext {
  std::string namespace_name;                     // of the request (trap A8)
  std::vector<const InferenceService*> services;  // of that namespace, in any order
  InstallationDefaults installation;
  NamespaceDefaults name_space;
  // Of that namespace, those that the pod names at least; unset: resource claims are not counted.
  std::optional<ClaimTemplates> claim_templates{};
};

enum class Outcome {
  kInjected,        // the patch changes the pod
  kUnchanged,       // it is as it should be, the patch is empty
  kSkipped,         // not ours to see to, the patch is empty
  kUnknownService,  // its label names none of the services; the caller waits, or denies
  kDenied,          // policy Reject
};
std::string_view OutcomeName(Outcome outcome);

struct PodDecision {
  Outcome outcome = Outcome::kSkipped;
  Reason reason = Reason::kNoGpus;
  std::string message;  // for kSkipped, kUnknownService, kDenied: why, in words
  // The installation audits: `outcome` says what would have been done, and the patch is empty.
  bool audited = false;
  std::string service;               // the InferenceService it belongs to; or empty
  std::optional<std::int64_t> size;  // bytes of /dev/shm as decided; unset without a volume
  int gpus = 0;                      // in the pod
  std::string arithmetic;
  Notes notes;
  Patch patch;

  // The notes as texts for whoever made the request; says first what an audit kept back.
  std::vector<std::string> Warnings() const;
};

PodDecision DecidePod(const PodView& pod, const PodContext& context);

}  // namespace shm
