#include "runtime/health.h"

#include <utility>

namespace shm::runtime {

void Health::AddLiveness(const std::string& name, HealthCheck check) {
  MutexLock lock(mutex_);
  liveness_[name] = std::move(check);
}

void Health::AddReadiness(const std::string& name, HealthCheck check) {
  MutexLock lock(mutex_);
  readiness_[name] = std::move(check);
}

void Health::StartShutdown() {
  AddReadiness("shutdown", [] { return std::string("the process is ending"); });
}

Response Health::Answer(const Request& request, const Metrics* metrics) const {
  if (request.method == "POST") {
    return {405, "text/plain", "read with GET\n", {{"Allow", "GET, HEAD"}}};
  }
  if (request.path == "/metrics" && metrics != nullptr) {
    return {200, kMetricsContentType, metrics->Exposition(), {}};
  }
  // Checks run outside the lock: one may add another.
  Checks checks;
  {
    MutexLock lock(mutex_);
    checks = liveness_;
    if (request.path == "/readyz") checks.insert(readiness_.begin(), readiness_.end());
  }
  if (request.path == "/healthz" || request.path == "/readyz") return Run(checks);
  return {404, "text/plain", "there are /healthz, /readyz and /metrics\n", {}};
}

Response Health::Run(const Checks& checks) {
  Response response{200, "text/plain", "", {}};
  for (const auto& [name, check] : checks) {
    const std::string fault = check();
    if (!fault.empty()) response.status = 503;
    response.body +=
        fault.empty() ? "[+]" + name + " ok\n" : "[-]" + name + " failed: " + fault + "\n";
  }
  response.body += response.status == 200 ? "ok\n" : "failed\n";
  return response;
}

}  // namespace shm::runtime
