#include "core/backoff.h"

#include <catch2/catch.hpp>
#include <limits>

namespace shm {
namespace {

TEST_CASE("W4: delays double from the base to the maximum, with the random part below") {
  const Backoff backoff{.base_ms = 1000, .max_ms = 10'000, .factor = 2.0, .jitter = 0.5};
  struct Row {
    int failures;
    double random;
    std::int64_t delay;
  };
  for (const Row& row :
       {Row{0, 0.9, 0}, Row{-3, 0.9, 0}, Row{1, 0.0, 500}, Row{1, 0.5, 750}, Row{1, 1.0, 1000},
        Row{2, 1.0, 2000}, Row{4, 1.0, 8000}, Row{5, 1.0, 10'000}, Row{5, 0.0, 5000}}) {
    INFO(row.failures << " failures, random " << row.random);
    CHECK(BackoffDelayMs(backoff, row.failures, row.random) == row.delay);
  }
}

TEST_CASE("A key that failed for weeks still waits the maximum") {
  CHECK(BackoffDelayMs({}, std::numeric_limits<int>::max(), 1.0) == 30'000);
}

TEST_CASE("Without jitter the random number does not matter") {
  const Backoff backoff{.base_ms = 5, .max_ms = 1000, .factor = 10.0, .jitter = 0.0};
  CHECK(BackoffDelayMs(backoff, 3, 0.0) == 500);
  CHECK(BackoffDelayMs(backoff, 3, 0.99) == 500);
}

}  // namespace
}  // namespace shm
