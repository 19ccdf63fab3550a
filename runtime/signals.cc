#include "runtime/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <limits>

namespace shm::runtime {

Signals::Signals() {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  signal_descriptor_ = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

Signals::~Signals() {
  close(signal_descriptor_);
  close(wake_descriptor_);
}

int Signals::Wait(std::chrono::milliseconds timeout) {
  pollfd ready[] = {{signal_descriptor_, POLLIN, 0}, {wake_descriptor_, POLLIN, 0}};
  const auto limit =
      std::min<std::chrono::milliseconds::rep>(timeout.count(), std::numeric_limits<int>::max());
  if (poll(ready, 2, static_cast<int>(limit)) <= 0) return 0;
  signalfd_siginfo info{};
  if (read(signal_descriptor_, &info, sizeof(info)) == sizeof(info)) {
    return static_cast<int>(info.ssi_signo);
  }
  std::uint64_t count = 0;
  [[maybe_unused]] const auto bytes = read(wake_descriptor_, &count, sizeof(count));
  return 0;
}

void Signals::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto bytes = write(wake_descriptor_, &one, sizeof(one));
}

}  // namespace shm::runtime
