#include "kube/work_queue.h"

#include "kube/random.h"

namespace shm::kube {
namespace {

// How long Get sleeps when nothing is due: only Add and ShutDown can bring work then.
constexpr std::chrono::hours kNothingDue{1};

}  // namespace

WorkQueue::WorkQueue(Clock& clock, QueueObserver* observer, Backoff backoff)
    : clock_(clock), observer_(observer), backoff_(backoff), random_(RandomSeed()) {}

bool WorkQueue::MakeReady(const Key& key) {
  if (shut_down_ || !dirty_.insert(key).second) return false;
  // One in work is queued by Done.
  if (in_work_.count(key) == 0) {
    ready_.emplace_back(key, clock_.Now());
    changed_.NotifyOne();
  }
  return true;
}

void WorkQueue::Add(const Key& key) {
  bool added = false;
  {
    MutexLock lock(mutex_);
    added = MakeReady(key);
  }
  if (added && observer_ != nullptr) observer_->Added();
}

void WorkQueue::Delay(const Key& key, Time when) {
  const auto [entry, fresh] = delayed_until_.try_emplace(key, when);
  if (!fresh) {
    if (entry->second <= when) return;
    delayed_.erase({entry->second, key});
    entry->second = when;
  }
  delayed_.insert({when, key});
  changed_.NotifyOne();
}

void WorkQueue::AddAfter(const Key& key, std::chrono::milliseconds delay) {
  if (delay <= std::chrono::milliseconds::zero()) {
    Add(key);
    return;
  }
  MutexLock lock(mutex_);
  if (!shut_down_) Delay(key, clock_.Now() + delay);
}

std::chrono::milliseconds WorkQueue::AddRateLimited(const Key& key) {
  std::chrono::milliseconds delay{0};
  {
    MutexLock lock(mutex_);
    const int failures = ++retries_[key];
    delay = std::chrono::milliseconds(BackoffDelayMs(backoff_, failures, NextRandom(random_)));
  }
  if (observer_ != nullptr) observer_->Retried();
  AddAfter(key, delay);
  return delay;
}

void WorkQueue::Forget(const Key& key) {
  MutexLock lock(mutex_);
  retries_.erase(key);
}

int WorkQueue::Retries(const Key& key) const {
  MutexLock lock(mutex_);
  const auto found = retries_.find(key);
  return found == retries_.end() ? 0 : found->second;
}

void WorkQueue::Promote(Time now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Key key = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    delayed_until_.erase(key);
    MakeReady(key);
  }
}

std::optional<WorkQueue::Key> WorkQueue::Pop(Time now, std::chrono::duration<double>& waited) {
  if (shut_down_) return std::nullopt;
  Promote(now);
  if (ready_.empty()) return std::nullopt;
  auto [key, since] = std::move(ready_.front());
  ready_.pop_front();
  dirty_.erase(key);
  in_work_[key] = now;
  waited = now - since;
  return std::move(key);
}

std::optional<WorkQueue::Key> WorkQueue::TryGet() {
  std::optional<Key> key;
  std::chrono::duration<double> waited{0};
  {
    MutexLock lock(mutex_);
    key = Pop(clock_.Now(), waited);
  }
  if (key && observer_ != nullptr) observer_->Started(waited);
  return key;
}

std::optional<WorkQueue::Key> WorkQueue::Get() {
  std::optional<Key> key;
  std::chrono::duration<double> waited{0};
  {
    MutexLock lock(mutex_);
    for (;;) {
      const Time now = clock_.Now();
      key = Pop(now, waited);
      if (key || shut_down_) break;
      changed_.WaitUntil(mutex_, delayed_.empty() ? now + kNothingDue : delayed_.begin()->first);
    }
    // A promotion may have made several ready while one waiter was woken.
    if (!ready_.empty()) changed_.NotifyOne();
  }
  if (key && observer_ != nullptr) observer_->Started(waited);
  return key;
}

void WorkQueue::Done(const Key& key) {
  std::chrono::duration<double> worked{0};
  {
    MutexLock lock(mutex_);
    const auto found = in_work_.find(key);
    if (found == in_work_.end()) return;
    const Time now = clock_.Now();
    worked = now - found->second;
    in_work_.erase(found);
    if (dirty_.count(key) != 0) {
      ready_.emplace_back(key, now);  // behind those that waited
      changed_.NotifyOne();
    }
  }
  if (observer_ != nullptr) observer_->Finished(worked);
}

void WorkQueue::ShutDown() {
  MutexLock lock(mutex_);
  shut_down_ = true;
  changed_.NotifyAll();
}

std::size_t WorkQueue::Ready() const {
  MutexLock lock(mutex_);
  return ready_.size();
}

std::size_t WorkQueue::Delayed() const {
  MutexLock lock(mutex_);
  return delayed_.size();
}

std::size_t WorkQueue::InWork() const {
  MutexLock lock(mutex_);
  return in_work_.size();
}

std::chrono::duration<double> WorkQueue::LongestRunning() const {
  MutexLock lock(mutex_);
  std::chrono::duration<double> longest{0};
  const Time now = clock_.Now();
  for (const auto& [key, since] : in_work_) {
    longest = std::max<std::chrono::duration<double>>(longest, now - since);
  }
  return longest;
}

}  // namespace shm::kube
