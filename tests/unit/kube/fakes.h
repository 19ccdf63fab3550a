// Hand-written fakes at the interfaces of kube/.
#pragma once

#include <deque>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "kube/clock.h"
#include "kube/transport.h"

namespace shm::kube::testing {

// Time that passes only when told, or slept. Thread-safe but for on_sleep.
class FakeClock : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    MutexLock lock(mutex_);
    return std::chrono::steady_clock::time_point(now_);
  }
  std::chrono::system_clock::time_point WallNow() const override {
    MutexLock lock(mutex_);
    return std::chrono::system_clock::time_point(now_ + wall_offset_);
  }
  bool Sleep(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    Advance(duration);
    sleeps.push_back(duration.count());
    if (on_sleep) on_sleep();
    return !stop.stop_requested();
  }
  void Advance(std::chrono::milliseconds duration) {
    MutexLock lock(mutex_);
    now_ += duration;
  }
  // Somebody sets the machine's date, or a suspended machine wakes: monotonic time knows nothing.
  void JumpWall(std::chrono::seconds by) {
    MutexLock lock(mutex_);
    wall_offset_ += by;
  }

  std::vector<std::int64_t> sleeps;  // milliseconds
  std::function<void()> on_sleep;

 private:
  mutable Mutex mutex_;
  std::chrono::milliseconds now_ SHM_GUARDED_BY(mutex_){1'000'000};
  std::chrono::seconds wall_offset_ SHM_GUARDED_BY(mutex_){1'700'000'000};
};

// Answers in the order of its script, and asks to stop when that is used up.
class ScriptedTransport : public Transport {
 public:
  explicit ScriptedTransport(FakeClock* clock = nullptr) : clock_(clock) {}

  void Answer(int status, std::string body,
              std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    Step step;
    step.send.response = {status, std::move(body), retry_after};
    steps_.push_back(std::move(step));
  }
  void Fail(TransportFailure failure, const std::string& message = "scripted") {
    Step step;
    step.send.failure = failure;
    step.send.message = message;
    steps_.push_back(std::move(step));
  }
  // A watch that delivers `lines`, lasts `duration` of the fake clock, and ends with `result`.
  void Stream(std::vector<std::string> lines, StreamResult result = Ok(),
              std::chrono::milliseconds duration = std::chrono::seconds{300}) {
    Step step;
    step.stream = true;
    step.lines = std::move(lines);
    step.result = std::move(result);
    step.duration = duration;
    steps_.push_back(std::move(step));
  }
  static StreamResult Ok() {
    StreamResult result;
    result.response.status = 200;
    return result;
  }

  SendResult Send(const HttpRequest& request, std::chrono::milliseconds timeout,
                  const std::stop_token& token) override {
    requests.push_back(request);
    timeouts.push_back(timeout);
    Step step;
    if (!Take(false, step) || token.stop_requested()) return Cancelled();
    return step.send;
  }

  StreamResult Open(const HttpRequest& request, const std::chrono::milliseconds& timeout,
                    const LineConsumer& consumer, const std::stop_token& token) override {
    requests.push_back(request);
    timeouts.push_back(timeout);
    Step step;
    if (!Take(true, step) || token.stop_requested()) {
      StreamResult result;
      result.failure = TransportFailure::kCancelled;
      return result;
    }
    if (clock_ != nullptr) clock_->Advance(step.duration);
    for (const std::string& line : step.lines) {
      if (!consumer(line)) {
        step.result.ended_by_consumer = true;
        break;
      }
    }
    final_timeouts.push_back(timeout);
    return step.result;
  }

  std::vector<HttpRequest> requests;
  std::vector<std::chrono::milliseconds> timeouts;        // as each call began
  std::vector<std::chrono::milliseconds> final_timeouts;  // of streams, as they ended
  std::stop_source stop;
  bool mismatch = false;  // the script said list and the caller watched, or the reverse

 private:
  struct Step {
    bool stream = false;
    SendResult send;
    std::vector<std::string> lines;
    StreamResult result;
    std::chrono::milliseconds duration{0};
  };

  static SendResult Cancelled() {
    SendResult result;
    result.failure = TransportFailure::kCancelled;
    return result;
  }

  bool Take(bool stream, Step& step) {
    if (steps_.empty() || steps_.front().stream != stream) {
      mismatch = mismatch || !steps_.empty();
      stop.request_stop();
      return false;
    }
    step = std::move(steps_.front());
    steps_.pop_front();
    return true;
  }

  FakeClock* const clock_;
  std::deque<Step> steps_;
};

}  // namespace shm::kube::testing
