// How the caches of a program are doing, in its log and its metrics.
//
// Metrics, by the resource's plural name: reflector_lists_total{resource,streamed},
// reflector_list_errors_total{resource,reason}, reflector_watches_total{resource},
// reflector_watch_errors_total{resource,reason}, reflector_watched_objects_total{resource}.
// Subsystem and label are those of Kubernetes' own components (k8s.io/component-base,
// metrics/prometheus/reflector); those have no counters of errors. A relist is a list after the
// first; reasons are those of kube::ErrorReasonName.
#pragma once

#include <string>

#include "core/watch_report.h"
#include "runtime/metrics.h"

namespace shm::runtime {

// Thread-safe. `resource` comes from a closed set: it is a label. `of`: which of them are cached,
// for the log alone.
void ReportCache(Metrics& metrics, const std::string& resource, const std::string& of,
                 const WatchReport& report);

}  // namespace shm::runtime
