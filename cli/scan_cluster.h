// What `shmctl scan` asks of a cluster: gets and lists, nothing else.
#pragma once

#include <string>
#include <vector>

#include "cli/scan_report.h"
#include "core/result.h"
#include "kube/api.h"

namespace shm::cli {

struct ScanScope {
  std::string namespace_name;  // empty: all
  bool idle_pods = false;      // rows for pods without GPUs, too
};

// Lists InferenceServices, the Namespace or Namespaces, and then pods, page by page: of pods
// nothing but rows is kept. A cluster without the CRD has no InferenceServices; where these or
// Namespaces may not be read `warnings` says what is not known then. An Error: the pods cannot be
// read, or the one namespace does not exist; its field is the resource. Blocks.
Result<ScanReport> ScanCluster(kube::Api& api, const ScanScope& scope,
                               const InstallationDefaults& installation,
                               std::vector<std::string>* warnings);

}  // namespace shm::cli
