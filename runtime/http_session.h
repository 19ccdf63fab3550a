// What a connection and the listener that accepted it know of each other. Private to
// http_server.cc: Boost appears here.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "runtime/http_eviction.h"
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
  bool evicting() const { return evicting_; }
  bool served() const { return served_ > 0; }
  bool heard() const { return heard_; }
  void MarkEvicting() { evicting_ = true; }
  // Not while a request of it is handled, nor in the first moments of its answer: a peer that does
  // not take its answers could keep its place with them.
  bool Evictable(Clock::time_point now) const {
    const Phase phase = phase_;
    if (phase == Phase::kWriting) return Unchanged(now) > std::chrono::seconds(1);
    return phase != Phase::kHandling;
  }
  // For how long it has been in its phase.
  Clock::duration Unchanged(Clock::time_point now) const {
    return now.time_since_epoch() - Clock::duration(since_);
  }
  // One that wants anything says so at once.
  bool HadPeace(Clock::time_point now, std::chrono::milliseconds grace) const {
    return Unchanged(now) >= (heard_ ? grace : grace / 10);
  }
  // As the choice of who makes room sees it.
  Occupant Occupies(std::uint64_t network, Clock::time_point now) const {
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::duration(since_));
    return {network, served_, heard_, Evictable(now), since.count()};
  }

 protected:
  void Enter(Phase phase, std::chrono::milliseconds allowance) {
    const Clock::time_point now = Clock::now();
    phase_ = phase;
    since_ = now.time_since_epoch().count();
    deadline_ = (now + allowance).time_since_epoch().count();
  }
  Phase phase() const { return phase_; }
  void MarkHeard() { heard_ = true; }
  void CountServed() {
    if (served_ < std::numeric_limits<std::uint32_t>::max()) ++served_;
  }
  void UnmarkEvicting() { evicting_ = false; }

 private:
  std::atomic<Phase> phase_{Phase::kHandshake};
  std::atomic<bool> heard_{false};
  std::atomic<std::uint32_t> served_{0};  // requests
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

  // Called where something failed already: that it cannot be counted must not end the process.
  void Reject(Rejection reason) const noexcept {
    try {
      if (options.on_reject) options.on_reject(reason);
    } catch (...) {
    }
  }

  // `network` as in Occupant.
  void Add(const std::shared_ptr<Session>& session, std::uint64_t network) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    sessions_.emplace(session.get(), Member{session, network});
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

  // Whether one more may come. Where one that was never served would have to go for it, that must
  // have had a moment to get on: so many come at once at times, and none would be served if each
  // made the next one go. One that was served has had its moment; else whoever keeps all of its own
  // busy would keep everybody out.
  bool HasRoom(Clock::time_point now) const SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (sessions_.size() < places()) return true;
    // Those that were told to go take a while where all threads are busy.
    if (Going() > places() / 8) return false;
    if (!Full()) return true;
    const auto chosen = ChooseEvicted(now);
    if (chosen == sessions_.end()) return false;
    return chosen->first->served() || chosen->first->HadPeace(now, options.limits.grace);
  }

  // Has as many go as there are too many for one more: one, and those for whom one was chosen that
  // then began to be handled. False where they cannot.
  bool MakeRoom(Clock::time_point now) SHM_EXCLUDES(mutex_) {
    for (;;) {
      std::shared_ptr<Session> session;
      {
        MutexLock lock(mutex_);
        if (!Full()) return true;
        const auto chosen = ChooseEvicted(now);
        if (chosen == sessions_.end()) return false;
        chosen->first->MarkEvicting();
        session = chosen->second.session.lock();
      }
      if (session) session->Evict();  // else it is going by itself
    }
  }

  // Accounts for body bytes that `session` holds; false where the common cap, or its network's part
  // of it, would be passed (nothing is charged).
  bool Charge(Session* session, std::size_t bytes) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    Member& own = sessions_.at(session);
    std::size_t all = bytes;
    std::size_t networks = bytes;
    for (const auto& [raw, member] : sessions_) {
      all += member.body_bytes;
      if (member.network == own.network) networks += member.body_bytes;
    }
    const std::size_t most = options.limits.all_bodies_bytes;
    if (all > most || networks > most / 4 * 3) return false;
    own.body_bytes += bytes;
    return true;
  }

  // All that `session` was charged.
  void Refund(Session* session) SHM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    sessions_.at(session).body_bytes = 0;
  }

 private:
  // Owning pointers, so that a session which ends meanwhile ends outside the lock.
  template <typename Predicate>
  std::vector<std::shared_ptr<Session>> Select(Predicate predicate) SHM_EXCLUDES(mutex_) {
    std::vector<std::shared_ptr<Session>> selected;
    MutexLock lock(mutex_);
    for (const auto& [raw, member] : sessions_) {
      if (!predicate(*raw)) continue;
      if (std::shared_ptr<Session> session = member.session.lock()) {
        selected.push_back(std::move(session));
      }
    }
    return selected;
  }

  struct Member {
    std::weak_ptr<Session> session;
    std::uint64_t network;
    std::size_t body_bytes = 0;
  };
  using Members = std::unordered_map<Session*, Member>;

  std::size_t places() const { return options.limits.connections; }

  // How many were told to go, and are still there.
  std::size_t Going() const SHM_REQUIRES(mutex_) {
    const auto going = std::count_if(sessions_.begin(), sessions_.end(),
                                     [](const auto& one) { return one.first->evicting(); });
    return static_cast<std::size_t>(going);
  }

  // Those that were told to go have left their places.
  bool Full() const SHM_REQUIRES(mutex_) {
    return sessions_.size() >= places() && sessions_.size() - Going() >= places();
  }

  // The end where nobody can go.
  Members::const_iterator ChooseEvicted(Clock::time_point now) const SHM_REQUIRES(mutex_) {
    std::vector<Occupant> occupants;
    std::vector<Members::const_iterator> members;
    for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
      if (it->first->evicting()) continue;
      occupants.push_back(it->first->Occupies(it->second.network, now));
      members.push_back(it);
    }
    const auto chosen = internal::ChooseEvicted(occupants, places());
    return chosen ? members[*chosen] : sessions_.end();
  }

  mutable Mutex mutex_;
  CondVar empty_;
  Members sessions_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::runtime::internal
