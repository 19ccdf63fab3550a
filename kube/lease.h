// Leader election by a Lease (coordination.k8s.io/v1).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/lease_decision.h"
#include "core/mutex.h"
#include "kube/api.h"
#include "kube/clock.h"

namespace shm::kube {

// An owner of the Lease, so that it goes when its owner is deleted.
struct OwnerReference {
  std::string api_version{};
  std::string kind{};
  std::string name{};
  std::string uid{};
};

struct ElectorOptions {
  ObjectKey lease;
  std::string identity{};  // unique among the candidates: the pod's name
  LeaseTimes times;
  std::optional<OwnerReference> owner;
};

struct ElectorCallbacks {
  // We lead. On the elector's thread, which renews the lease only after it returned: start threads
  // in it, do not work in it.
  std::function<void()> on_started;
  // We lead no longer, or are stopping. Must not return before all work has stopped: the lease is
  // released only afterwards (trap W7). On the elector's thread.
  std::function<void()> on_stopped;
  // Somebody (perhaps we) leads; empty: nobody. May be empty.
  std::function<void(const std::string& identity)> on_leader;
  // A read or write failed; it goes on trying. May be empty.
  std::function<void(const ApiError&)> on_error;
};

// Start once, Stop once (the destructor does). `api`'s calls must end within the renew deadline:
// give it a client of its own with a timeout of times.retry_ms or so.
class Elector {
 public:
  Elector(Api& api, ElectorOptions options, ElectorCallbacks callbacks,
          Clock& clock = SystemClock());
  ~Elector();
  Elector(const Elector&) = delete;
  Elector& operator=(const Elector&) = delete;

  void Start();

  // on_stopped if leading, then releases the lease, then joins the thread.
  void Stop();

  // What Start runs on its thread; returns when `stop` is requested. After a loss it goes on as a
  // candidate.
  void Run(const std::stop_token& stop);

  bool IsLeader() const { return leading_.load(); }

 private:
  void Step();
  bool RenewBlindly();
  void WriteAndLead(LeaseAction action, std::int64_t transitions);
  ApiResult<nlohmann::json> Write(LeaseAction action, std::int64_t transitions);
  void Release();
  void BecomeLeader();
  void StopLeading();
  void TellLeader(const std::string& identity);
  nlohmann::json LeaseObject(const std::string& holder, std::int64_t transitions) const;
  void Fail(const ApiError& error) const;

  Api& api_;
  const ElectorOptions options_;
  const ElectorCallbacks callbacks_;
  Clock& clock_;
  // Of the elector's thread:
  LeaseState state_;
  std::optional<std::string> acquire_time_;
  std::string known_leader_;
  std::uint64_t random_state_;
  std::atomic<bool> leading_{false};
  std::jthread thread_;
};

}  // namespace shm::kube
