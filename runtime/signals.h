// SIGTERM and SIGINT, waited for instead of handled.
#pragma once

#include <chrono>

namespace shm::runtime {

// Blocks SIGTERM and SIGINT for this thread and those that it starts: construct it first thing in
// main, before any thread. Ignores SIGPIPE. One a process.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The signal's number, or 0 when `timeout` passed or Wake was called.
  int Wait(std::chrono::milliseconds timeout = std::chrono::hours(24 * 365));

  // Makes Wait return 0, now or the next time. From any thread.
  void Wake();

 private:
  int signal_descriptor_ = -1;
  int wake_descriptor_ = -1;
};

}  // namespace shm::runtime
