// How long to wait after the n-th failure in a row.
#pragma once

#include <cstdint>

namespace shm {

// Milliseconds. Delays grow from `base_ms` by `factor` to at most `max_ms`.
struct Backoff {
  std::int64_t base_ms = 800;
  std::int64_t max_ms = 30'000;
  double factor = 2.0;
  double jitter = 0.5;  // share of the delay that is random, 0 to 1
};

// The delay after `failures` failures in a row; 0 for none. `random` in [0, 1) picks a point
// between (1 - jitter) × delay and delay, so that clients that failed together do not return
// together.
std::int64_t BackoffDelayMs(const Backoff& backoff, int failures, double random);

}  // namespace shm
