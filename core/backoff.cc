#include "core/backoff.h"

#include <algorithm>
#include <cmath>

namespace shm {

std::int64_t BackoffDelayMs(const Backoff& backoff, int failures, double random) {
  if (failures <= 0) return 0;
  // The exponent is capped before pow, so that a key that failed for weeks cannot overflow it.
  const double grown =
      static_cast<double>(backoff.base_ms) * std::pow(backoff.factor, std::min(failures - 1, 64));
  const double delay = std::min(grown, static_cast<double>(backoff.max_ms));
  const double spread = delay * std::clamp(backoff.jitter, 0.0, 1.0);
  return static_cast<std::int64_t>(delay - spread + spread * std::clamp(random, 0.0, 1.0));
}

}  // namespace shm
