// The plain HTTP port of a program: /healthz, /readyz and /metrics.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/mutex.h"
#include "runtime/http_server.h"
#include "runtime/metrics.h"

namespace shm::runtime {

// Empty: fine. Else what is wrong, in words.
using HealthCheck = std::function<std::string()>;

// Thread-safe. Checks run at each request, on the server's threads: they must be quick.
class Health {
 public:
  // Alive: answered by /healthz. A failing one has the kubelet restart the container.
  void AddLiveness(const std::string& name, HealthCheck check) SHM_EXCLUDES(mutex_);
  // Ready: answered by /readyz, beside every liveness check.
  void AddReadiness(const std::string& name, HealthCheck check) SHM_EXCLUDES(mutex_);
  // From here on /readyz fails, whatever the checks say (trap A13).
  void StartShutdown() SHM_EXCLUDES(mutex_);

  // GET /healthz, /readyz and, with `metrics`, /metrics; 404 for everything else. The body of the
  // first two has a line for each check: "[+]name ok" or "[-]name failed: why".
  Response Answer(const Request& request, const Metrics* metrics) const SHM_EXCLUDES(mutex_);

 private:
  using Checks = std::map<std::string, HealthCheck>;
  static Response Run(const Checks& checks);

  mutable Mutex mutex_;
  Checks liveness_ SHM_GUARDED_BY(mutex_);
  Checks readiness_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::runtime
