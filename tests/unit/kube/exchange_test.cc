#include "kube/exchange.h"

#include <catch2/catch.hpp>
#include <functional>

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST_CASE("A body whose next chunk is always there ends at the deadline all the same") {
  Exchange exchange;
  exchange.OnHeaders(200, std::nullopt);
  std::function<void()> offer = [&] { exchange.OnChunk("x", offer); };
  offer();
  const auto began = Clock::now();
  int chunks = 0;
  const Exchange::Outcome outcome =
      exchange.Wait(began, 50ms, {}, [&](const Exchange::Head&, std::string_view) {
        ++chunks;
        return Clock::now() - began < 5s;
      });
  CHECK(outcome.failure == TransportFailure::kTimeout);
  CHECK_FALSE(outcome.ended_by_consumer);
  CHECK_FALSE(outcome.done);
  CHECK(outcome.head.status == 200);
  CHECK(chunks > 0);
}

TEST_CASE("What was complete before anybody waited is taken whatever the deadline") {
  Exchange exchange;
  exchange.OnHeaders(204, std::nullopt);
  exchange.OnDone(TransportFailure::kNone, "");
  const Exchange::Outcome outcome = exchange.Wait(
      Clock::now() - 1s, 0ms, {}, [](const Exchange::Head&, std::string_view) { return true; });
  CHECK(outcome.failure == TransportFailure::kNone);
  CHECK(outcome.done);
  CHECK(outcome.head.status == 204);
}

}  // namespace
}  // namespace shm::kube
