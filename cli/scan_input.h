// What `shmctl scan -f` reads instead of a cluster: what `kubectl get ... -o json` or yaml wrote.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/scanned_pod.h"
#include "cli/surroundings.h"
#include "core/result.h"

namespace shm::cli {

struct ScanInput {
  std::vector<ScannedPod> pods;  // those that have not ended, in the order they came
  Surroundings around;           // but for `installation`, which is the caller's to set
  std::vector<std::string> warnings;
};

// Reads a List of Pods, InferenceServices and Namespaces in any order, a PodList as the API sends
// it, or a single Pod; YAML may have several documents of them. Objects of other kinds are passed
// over. Without an InferenceService among them those are not known, rather than none. At most 1 GiB
// of text and a depth of 512. An Error's field is `name` (of a file, for messages), with the place
// in it.
Result<ScanInput> ReadScanInput(std::istream& in, const std::string& name);

}  // namespace shm::cli
