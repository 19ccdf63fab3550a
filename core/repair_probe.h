// Whether a pod's successor would be sized: asked of the API server by creating a copy of the pod
// in a dry run, which passes every admission webhook and is not kept.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace shm {

// The copy to create: `pod`, as the API server sent it, without what the server, its admission
// plugins and the scheduler filled in, and without the label that would say the webhook was there.
// Annotations and volumes of the webhook stay: it reads its own, and writes them anew where they
// are out of date.
nlohmann::json BuildRepairProbe(const nlohmann::json& pod);

// Why the pod that the dry run gave back is no reason to evict the original.
struct ProbeRefusal {
  std::string reason;  // one word: "DryRunNotInjected" or "DryRunTooSmall"
  std::string message;
};

// `size`: bytes that the pod must hold at least; unset where a pod of its InferenceService has no
// volume. Nothing: the successor would be sized.
std::optional<ProbeRefusal> JudgeRepairProbe(const nlohmann::json& created,
                                             std::optional<std::int64_t> size);

}  // namespace shm
