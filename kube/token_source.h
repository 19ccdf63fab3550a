// The bearer token, read again as it rotates (trap W9).
#pragma once

#include <chrono>
#include <string>

#include "core/mutex.h"
#include "kube/clock.h"

namespace shm::kube {

// Thread-safe.
class TokenSource {
 public:
  // `file` empty: always `fixed`, which may be empty too: no token.
  TokenSource(std::string fixed, std::string file, Clock& clock = SystemClock());

  // The token. A file is read again when the last reading is older than ten seconds; while it
  // cannot be read the last good token stays in use.
  std::string Get() SHM_EXCLUDES(mutex_);

  // The server refused the token: the next Get reads the file whatever its age.
  void Invalidate() SHM_EXCLUDES(mutex_);

 private:
  const std::string file_;
  Clock& clock_;
  Mutex mutex_;
  std::string token_ SHM_GUARDED_BY(mutex_);
  bool read_ SHM_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point read_at_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::kube
