// `shmctl check` without its command line: documents in, findings out.
#pragma once

#include "cli/check_pod.h"
#include "cli/finding.h"
#include "cli/manifest_flags.h"

namespace shm::cli {

struct CheckRules {
  WebhookUse webhook = WebhookUse::kInstalled;
  bool all_enabled = false;  // every namespace is taken to be opened to the webhook
};

// Reads all before it judges any: an InferenceService may stand after its pods. Keeps of the
// manifests those that findings may be of. An Error: what cannot be read at all, by file, line and
// field.
Result<CheckReport> CheckManifests(ManifestInput* input, const CheckRules& rules);

}  // namespace shm::cli
