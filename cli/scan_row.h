// One pod as `shmctl scan` judges it: what it has at /dev/shm now, and what it would get.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/pod_judgement.h"
#include "cli/scanned_pod.h"
#include "cli/surroundings.h"
#include "core/inference_service.h"

namespace shm::cli {

struct ScanRow {
  std::string namespace_name;
  std::string pod;
  std::string node;     // empty: none yet
  std::string phase;    // empty: none yet
  std::string service;  // the InferenceService that it belongs to; or empty
  std::string engine;   // as a person calls it; empty: not known
  int gpus = 0;         // in the pod
  Degrees degrees;      // each from the first source that has it

  PresentShm present;
  std::optional<std::int64_t> would_get;  // bytes; unset: no volume by us
  std::int64_t need = 0;                  // bytes that NCCL and the engine may take
  bool injected = false;                  // the webhook was here
  std::string outcome;                    // of the operator's decision: "Injected", "Skipped", ...
  // Whether the webhook would see the pod when it is made again, as the chart registers it; unset:
  // its namespace is not known.
  std::optional<bool> covered;
  Verdict verdict = Verdict::kNoGpus;

  std::string arithmetic;             // of would_get, in words; or empty
  std::vector<std::string> reasons;   // names of core's Reason, each once
  std::vector<std::string> warnings;  // "BelowComputedNeed: ...", a clause without a period

  // What it has is known, and is less than what it may take.
  bool below_need() const { return present.bytes && *present.bytes < need; }
  // No GPUs, and nothing to be said of it either.
  bool idle() const { return verdict == Verdict::kNoGpus && warnings.empty(); }
};

// JudgePod, as columns.
ScanRow DescribePod(const ScannedPod& pod, const Surroundings& around);

}  // namespace shm::cli
