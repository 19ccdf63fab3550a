// A mutex that clang's -Wthread-safety can follow, and the names of its annotations.
//
// std::mutex of libstdc++ carries no annotations, so what it guards cannot be checked. Everything
// that threads share is SHM_GUARDED_BY one of these, in every room with threads. It stands in core/
// because all of them see core/; core/ itself, which has no thread, does not include it
// (docs/adr/0008-one-annotated-mutex.md).
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SHM_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SHM_THREAD_ATTRIBUTE(x)
#endif
#define SHM_CAPABILITY(x) SHM_THREAD_ATTRIBUTE(capability(x))
#define SHM_SCOPED_CAPABILITY SHM_THREAD_ATTRIBUTE(scoped_lockable)
#define SHM_GUARDED_BY(x) SHM_THREAD_ATTRIBUTE(guarded_by(x))
#define SHM_REQUIRES(...) SHM_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SHM_ACQUIRE(...) SHM_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define SHM_RELEASE(...) SHM_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SHM_EXCLUDES(...) SHM_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define SHM_NO_THREAD_SAFETY_ANALYSIS SHM_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace shm {

class SHM_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() SHM_ACQUIRE() { mutex_.lock(); }
  void Unlock() SHM_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SHM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SHM_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() SHM_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits may return early; callers loop over what they wait for.
class CondVar {
 public:
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

  void Wait(Mutex& mutex) SHM_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // False once `deadline` has passed.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) SHM_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, deadline);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable condition_;
};

}  // namespace shm
