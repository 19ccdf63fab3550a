#include "kube/clock.h"

#include <condition_variable>
#include <mutex>

namespace shm::kube {
namespace {

class MachineClock : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::now();
  }
  std::chrono::system_clock::time_point WallNow() const override {
    return std::chrono::system_clock::now();
  }
  bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    // Of this sleep alone: only the stop request can wake it.
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock<std::mutex> lock(mutex);
    return !condition.wait_for(lock, stop, duration, [&stop] { return stop.stop_requested(); });
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace shm::kube
