#include <catch2/catch.hpp>

#include "core/lease_decision.h"

namespace shm {
namespace {

constexpr LeaseTimes kTimes;

LeaseRecord Record(const std::string& holder, const std::string& version,
                   std::int64_t duration_ms = 15'000, std::int64_t transitions = 3) {
  return {holder, version, duration_ms, transitions};
}

LeaseState After(const LeaseRecord& lease, std::int64_t now_ms) {
  return DecideLease({}, lease, "me", kTimes, now_ms).state;
}

TEST_CASE("Without a lease one is created") {
  const LeaseDecision decision = DecideLease({}, std::nullopt, "me", kTimes, 0);
  CHECK(decision.action == LeaseAction::kCreate);
  CHECK(decision.transitions == 0);
}

TEST_CASE("W6: a lease of another expires by the time since it last changed here") {
  struct Row {
    const char* version;  // at the second read
    std::int64_t later_ms;
    std::int64_t duration_ms;
    LeaseAction action;
  };
  for (const Row& row :
       {Row{"1", 14'999, 15'000, LeaseAction::kStandBy},
        Row{"1", 15'000, 15'000, LeaseAction::kTake},
        Row{"2", 15'000, 15'000, LeaseAction::kStandBy},
        Row{"1", 15'000, 60'000, LeaseAction::kStandBy},
        Row{"1", 60'000, 60'000, LeaseAction::kTake}, Row{"1", 15'000, 0, LeaseAction::kTake}}) {
    const LeaseState state = After(Record("other", "1", row.duration_ms), 1000);
    const LeaseDecision decision = DecideLease(state, Record("other", row.version, row.duration_ms),
                                               "me", kTimes, 1000 + row.later_ms);
    INFO(row.version << " after " << row.later_ms << " of " << row.duration_ms);
    CHECK(decision.action == row.action);
    if (row.action == LeaseAction::kTake) CHECK(decision.transitions == 4);
  }
}

TEST_CASE("W6: a lease seen for the first time is never taken, however old it says it is") {
  const LeaseDecision decision = DecideLease({}, Record("other", "1"), "me", kTimes, 1'000'000'000);
  CHECK(decision.action == LeaseAction::kStandBy);
}

TEST_CASE("A released lease is taken at once") {
  const LeaseDecision decision = DecideLease({}, Record("", "9"), "me", kTimes, 0);
  CHECK(decision.action == LeaseAction::kTake);
  CHECK(decision.transitions == 4);
}

TEST_CASE("Our own lease is renewed without a transition, after a restart too") {
  const LeaseDecision decision = DecideLease({}, Record("me", "9"), "me", kTimes, 0);
  CHECK(decision.action == LeaseAction::kRenew);
  CHECK(decision.transitions == 3);
}

TEST_CASE("A leader that finds another holder, or no lease, leads no longer") {
  const LeaseState leader = LeaseWritten({}, Record("me", "5"), 1000);
  REQUIRE(leader.leading);
  CHECK_FALSE(DecideLease(leader, Record("other", "6"), "me", kTimes, 2000).state.leading);
  CHECK_FALSE(DecideLease(leader, std::nullopt, "me", kTimes, 2000).state.leading);
  CHECK(DecideLease(leader, Record("me", "5"), "me", kTimes, 2000).state.leading);
}

TEST_CASE("A leader gives up at the renew deadline, counted from when its last write was sent") {
  const LeaseState leader = LeaseWritten({}, Record("me", "5"), 1000);
  CHECK_FALSE(LeaseLost(leader, kTimes, 10'999));
  CHECK(LeaseLost(leader, kTimes, 11'000));
  CHECK_FALSE(LeaseLost({}, kTimes, 1'000'000));
}

TEST_CASE("A leader's deadline comes before anybody may take its lease") {
  CHECK(kTimes.renew_deadline_ms + 2 * kTimes.retry_ms < kTimes.duration_ms);
}

TEST_CASE("A leader's wait ends at its deadline, and a candidate's is spread") {
  const LeaseState leader = LeaseWritten({}, Record("me", "5"), 1000);
  CHECK(LeaseWaitMs(leader, kTimes, 1500, 0.0) == 2000);
  CHECK(LeaseWaitMs(leader, kTimes, 10'500, 0.0) == 500);
  CHECK(LeaseWaitMs(leader, kTimes, 99'000, 0.0) == 0);
  CHECK(LeaseWaitMs({}, kTimes, 0, 0.0) == 2000);
  CHECK(LeaseWaitMs({}, kTimes, 0, 0.5) == 3200);
}

}  // namespace
}  // namespace shm
