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
  if (shut_down_ || !dirty_.try_emplace(key, clock_.Now()).second) return false;
  // One in work is queued by Done.
  if (in_work_.count(key) == 0) {
    ready_.push_back(key);
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
  } else {
    MutexLock lock(mutex_);
    if (shut_down_) return;
    Delay(key, clock_.Now() + delay);
  }
  if (observer_ != nullptr) observer_->Retried();
}

std::chrono::milliseconds WorkQueue::AddRateLimited(const Key& key) {
  std::chrono::milliseconds delay{0};
  {
    MutexLock lock(mutex_);
    const int failures = ++retries_[key];
    delay = std::chrono::milliseconds(BackoffDelayMs(backoff_, failures, NextRandom(random_)));
  }
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

// Returns how many keys that made ready.
std::size_t WorkQueue::Promote(Time now) {
  std::size_t added = 0;
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Key key = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    delayed_until_.erase(key);
    added += MakeReady(key) ? 1 : 0;
  }
  return added;
}

void WorkQueue::Pop(Time now, Taken& taken) {
  if (shut_down_) return;
  taken.added += Promote(now);
  if (ready_.empty()) return;
  taken.key = std::move(ready_.front());
  ready_.pop_front();
  const auto since = dirty_.find(*taken.key);
  taken.waited = now - since->second;
  dirty_.erase(since);
  in_work_[*taken.key] = now;
}

std::optional<WorkQueue::Key> WorkQueue::Tell(Taken taken) const {
  if (observer_ != nullptr) {
    for (std::size_t i = 0; i < taken.added; ++i) observer_->Added();
    if (taken.key) observer_->Started(taken.waited);
  }
  return std::move(taken.key);
}

std::optional<WorkQueue::Key> WorkQueue::TryGet() {
  Taken taken;
  {
    MutexLock lock(mutex_);
    Pop(clock_.Now(), taken);
  }
  return Tell(std::move(taken));
}

std::optional<WorkQueue::Key> WorkQueue::Get() {
  Taken taken;
  {
    MutexLock lock(mutex_);
    for (;;) {
      const Time now = clock_.Now();
      Pop(now, taken);
      if (taken.key || shut_down_) break;
      changed_.WaitUntil(mutex_, delayed_.empty() ? now + kNothingDue : delayed_.begin()->first);
    }
    // A promotion may have made several ready while one waiter was woken.
    if (!ready_.empty()) changed_.NotifyOne();
  }
  return Tell(std::move(taken));
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
      ready_.push_back(key);  // behind those that waited
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

std::size_t WorkQueue::Depth() const {
  MutexLock lock(mutex_);
  return dirty_.size();
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

std::chrono::duration<double> WorkQueue::UnfinishedWork() const {
  MutexLock lock(mutex_);
  std::chrono::duration<double> sum{0};
  const Time now = clock_.Now();
  for (const auto& [key, since] : in_work_) sum += now - since;
  return sum;
}

}  // namespace shm::kube
