// The answer of `shmctl size`, and the two ways it is written.
//
// Pure but for the stream that is given; safe from any thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/size_request.h"
#include "core/sizing.h"

namespace shm::cli {

struct SizeReport {
  SizeRequest request;
  std::int64_t nccl_bytes = 0;            // what this environment makes NCCL take
  std::int64_t nccl_provision_bytes = 0;  // what it may take without P2P and host buffers
  std::int64_t engine_bytes = 0;
  SizeDecision decision;
  std::vector<std::string> warnings;  // clauses without a period

  bool below_need() const { return decision.size < decision.need; }
};

// The operator's own decision for a pod with one GPU container of these numbers.
SizeReport DecideReport(const SizeRequest& request);

// Sizes, arithmetic, a pod's emptyDir in YAML, and Docker's flag.
void WriteText(const SizeReport& report, std::ostream& out);

// One object: sizeBytes, computedBytes, needBytes, gpus, communicators, ncclBytes,
// ncclProvisionBytes, engineBytes, reason (the arithmetic), shmSize (for Docker), emptyDir,
// warnings.
nlohmann::ordered_json ToJson(const SizeReport& report);

// Bytes (0 or more) as Docker's --shm-size takes them: "2g", "516m", "1000". Its units are binary.
std::string DockerSize(std::int64_t bytes);

}  // namespace shm::cli
