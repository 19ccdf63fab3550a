// Keys to be worked on: each once at a time, in order, with delays and back-off.
//
// The contract of client-go's rate-limiting work queue: a key that is added while it waits is
// worked on once; one that is added while it is worked on is worked on again afterwards; never is
// one key worked on by two threads. First come, first served, also for a key that comes back at
// once, so that a hot key cannot keep others waiting.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/backoff.h"
#include "core/mutex.h"
#include "kube/clock.h"
#include "kube/resource.h"

namespace shm::kube {

// For metrics, counted as client-go counts (util/workqueue/metrics.go): a key is added when it was
// not to be worked on before, also by its delay's end, and each delayed addition is a retry. From
// any thread, outside the queue's lock.
class QueueObserver {
 public:
  virtual ~QueueObserver() = default;
  virtual void Added() {}
  virtual void Retried() {}
  virtual void Started(std::chrono::duration<double> /*waited*/) {}
  virtual void Finished(std::chrono::duration<double> /*worked*/) {}
};

// Thread-safe.
class WorkQueue {
 public:
  using Key = ObjectKey;

  // `clock` and `observer` (may be null) must outlive the queue. Retries of a key back off from 5
  // ms to 5 minutes, with some jitter.
  explicit WorkQueue(Clock& clock = SystemClock(), QueueObserver* observer = nullptr,
                     Backoff backoff = {
                         .base_ms = 5, .max_ms = 300'000, .factor = 2.0, .jitter = 0.2});

  // Ready now. After ShutDown: nothing.
  void Add(const Key& key) SHM_EXCLUDES(mutex_);

  // Ready after `delay`. If it already waits, the earlier time counts.
  void AddAfter(const Key& key, std::chrono::milliseconds delay) SHM_EXCLUDES(mutex_);

  // Ready after the key's own back-off, which grows with each call until Forget. The key may be in
  // work still. Returns the delay.
  std::chrono::milliseconds AddRateLimited(const Key& key) SHM_EXCLUDES(mutex_);

  // The key succeeded: its back-off begins anew.
  void Forget(const Key& key) SHM_EXCLUDES(mutex_);

  // How often AddRateLimited was called since Forget.
  int Retries(const Key& key) const SHM_EXCLUDES(mutex_);

  // The next key, waiting for one; nothing after ShutDown. Call Done with it afterwards.
  std::optional<Key> Get() SHM_EXCLUDES(mutex_);

  // The next key if one is ready by the clock.
  std::optional<Key> TryGet() SHM_EXCLUDES(mutex_);

  // The work on it ended. If it was added meanwhile it is ready again.
  void Done(const Key& key) SHM_EXCLUDES(mutex_);

  // Get returns nothing from now on, whatever waits. Idempotent.
  void ShutDown() SHM_EXCLUDES(mutex_);

  std::size_t Ready() const SHM_EXCLUDES(mutex_);    // keys that wait for a worker
  std::size_t Depth() const SHM_EXCLUDES(mutex_);    // these, and keys in work to come again
  std::size_t Delayed() const SHM_EXCLUDES(mutex_);  // keys that wait for their time
  std::size_t InWork() const SHM_EXCLUDES(mutex_);
  std::chrono::duration<double> LongestRunning() const SHM_EXCLUDES(mutex_);
  std::chrono::duration<double> UnfinishedWork() const SHM_EXCLUDES(mutex_);  // of all in work

 private:
  using Time = std::chrono::steady_clock::time_point;

  bool MakeReady(const Key& key) SHM_REQUIRES(mutex_);
  void Delay(const Key& key, Time when) SHM_REQUIRES(mutex_);
  // What an observer is to be told once the lock is free.
  struct Taken {
    std::optional<Key> key;
    std::chrono::duration<double> waited{0};
    std::size_t added = 0;
  };
  std::size_t Promote(Time now) SHM_REQUIRES(mutex_);
  void Pop(Time now, Taken& taken) SHM_REQUIRES(mutex_);
  std::optional<Key> Tell(Taken taken) const;

  Clock& clock_;
  QueueObserver* const observer_;
  const Backoff backoff_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Key> ready_ SHM_GUARDED_BY(mutex_);                  // in order
  std::unordered_map<Key, Time> dirty_ SHM_GUARDED_BY(mutex_);    // to be worked on, since when
  std::unordered_map<Key, Time> in_work_ SHM_GUARDED_BY(mutex_);  // since when
  std::set<std::pair<Time, Key>> delayed_ SHM_GUARDED_BY(mutex_);
  std::unordered_map<Key, Time> delayed_until_ SHM_GUARDED_BY(mutex_);
  std::unordered_map<Key, int> retries_ SHM_GUARDED_BY(mutex_);
  std::uint64_t random_ SHM_GUARDED_BY(mutex_);
  bool shut_down_ SHM_GUARDED_BY(mutex_) = false;
};

}  // namespace shm::kube
