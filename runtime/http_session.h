// What a connection and the listener that accepted it know of each other. Private to
// http_server.cc: Boost appears here.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "runtime/http_server.h"

namespace shm::runtime::internal {

using Clock = std::chrono::steady_clock;

// Where a connection stands. Each phase but kHandling has a deadline.
enum class Phase {
  kHandshake,
  kWaiting,  // for the first byte of the next request
  kHeader,
  kBody,
  kHandling,
  kWriting,
  kClosing,  // the last bytes went out; lingers so that the peer can read them
};

// One connection. The methods here may be called from any thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  virtual ~Session() = default;
  virtual void Start() = 0;

  // The request being handled; valid from its dispatch until Respond.
  virtual const Request& request() const = 0;
  // On the connection's own thread, once for each dispatched request.
  virtual void Respond(Response response) = 0;

  virtual void EnforceDeadline() = 0;  // acts where the deadline has passed
  virtual void LeaveWhenIdle() = 0;    // closes gracefully where no request has begun
  virtual void Evict() = 0;            // closes at once where no request is handled or answered
  virtual void Abort() = 0;            // closes at once

  Clock::time_point deadline() const { return Clock::time_point(Clock::duration(deadline_)); }
  bool Evictable() const {
    const Phase phase = phase_;
    return !evicting_ && phase != Phase::kHandling && phase != Phase::kWriting;
  }
  // Sorts who is to make room: peers that were never served first, then the longest unchanged.
  std::pair<bool, Clock::duration::rep> EvictionRank() const { return {served_, since_}; }
  void MarkEvicting() { evicting_ = true; }

 protected:
  void Enter(Phase phase, std::chrono::milliseconds allowance) {
    const Clock::time_point now = Clock::now();
    phase_ = phase;
    since_ = now.time_since_epoch().count();
    deadline_ = (now + allowance).time_since_epoch().count();
  }
  Phase phase() const { return phase_; }
  void MarkServed() { served_ = true; }
  void UnmarkEvicting() { evicting_ = false; }

 private:
  std::atomic<Phase> phase_{Phase::kHandshake};
  std::atomic<bool> served_{false};
  std::atomic<bool> evicting_{false};
  std::atomic<Clock::duration::rep> since_{0};
  std::atomic<Clock::duration::rep> deadline_{Clock::duration::max().count()};
};

// The connections of one listener and what they share. Thread-safe.
class Hub {
 public:
  HttpServerOptions options;
  std::function<void(std::shared_ptr<Session>)> dispatch;  // calls Respond before it returns
  std::atomic<bool> close_after_responses{false};
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> in_flight{0};

  void Reject(Rejection reason) const {
    if (options.on_reject) options.on_reject(reason);
  }

  void Add(const std::shared_ptr<Session>& session) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    sessions_.emplace(session.get(), session);
  }

  void Remove(Session* session) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    sessions_.erase(session);
    if (sessions_.empty()) empty_.NotifyAll();
  }

  std::size_t size() const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return sessions_.size();
  }

  // False where some are left at `deadline`.
  bool WaitUntilEmpty(Clock::time_point deadline) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (!sessions_.empty()) {
      if (!empty_.WaitUntil(mutex_, deadline)) break;
    }
    return sessions_.empty();
  }

  void EnforceDeadlines(Clock::time_point now) {
    for (const auto& session : Select([now](Session& s) { return s.deadline() <= now; })) {
      session->EnforceDeadline();
    }
  }

  void LeaveWhenIdle() {
    for (const auto& session : Select([](Session&) { return true; })) session->LeaveWhenIdle();
  }

  void Abort() {
    for (const auto& session : Select([](Session&) { return true; })) session->Abort();
  }

  // Makes room for one more connection; false where every one is busy.
  bool MakeRoom() {
    std::vector<std::shared_ptr<Session>> idle = Select([](Session& s) { return s.Evictable(); });
    if (idle.empty()) return false;
    const auto victim = std::min_element(
        idle.begin(), idle.end(),
        [](const auto& a, const auto& b) { return a->EvictionRank() < b->EvictionRank(); });
    (*victim)->MarkEvicting();
    (*victim)->Evict();
    return true;
  }

  // Accounts for body bytes held; false where the common cap would be passed (nothing is charged).
  bool Charge(std::size_t bytes) {
    if (body_bytes_.fetch_add(bytes) + bytes <= options.limits.all_bodies_bytes) return true;
    body_bytes_ -= bytes;
    return false;
  }
  void Refund(std::size_t bytes) { body_bytes_ -= bytes; }

 private:
  // Owning pointers, so that a session which ends meanwhile ends outside the lock.
  template <typename Predicate>
  std::vector<std::shared_ptr<Session>> Select(Predicate predicate) SHM_EXCLUDES(mutex_) {
    std::vector<std::shared_ptr<Session>> selected;
    MutexLock lock(mutex_);
    for (const auto& [raw, weak] : sessions_) {
      if (!predicate(*raw)) continue;
      if (std::shared_ptr<Session> session = weak.lock()) selected.push_back(std::move(session));
    }
    return selected;
  }

  mutable Mutex mutex_;
  CondVar empty_;
  std::unordered_map<Session*, std::weak_ptr<Session>> sessions_ SHM_GUARDED_BY(mutex_);
  std::atomic<std::size_t> body_bytes_{0};
};

}  // namespace shm::runtime::internal
