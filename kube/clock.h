// Time as the threads of kube/ see it, so that tests can pass their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

namespace shm::kube {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic: what deadlines, back-off and leases are judged by.
  virtual std::chrono::steady_clock::time_point Now() const = 0;

  // Only for timestamps that others read, such as a Lease's renewTime.
  virtual std::chrono::system_clock::time_point WallNow() const = 0;

  // Returns after `duration`, or at once when `stop` is requested. False if it was.
  virtual bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) = 0;
};

// The machine's clock. Lives for ever.
Clock& SystemClock();

// Milliseconds of Clock::Now(), which the state machines of core/ count in.
inline std::int64_t MonotonicMs(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now().time_since_epoch())
      .count();
}

}  // namespace shm::kube
