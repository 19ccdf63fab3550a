// Who leads, decided from a Lease as it was read (coordination.k8s.io/v1).
//
// As client-go's leader election: a lease is judged by how long it has not changed by this
// process's monotonic clock, never by its renewTime, since clocks of machines differ (trap W6).
// There is no fencing: a leader must stop its work `renew_deadline` after its last successful
// renewal, which is before anybody else may take over after `duration`. All times are milliseconds
// of one monotonic clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace shm {

struct LeaseTimes {
  std::int64_t duration_ms = 15'000;
  std::int64_t renew_deadline_ms = 10'000;
  std::int64_t retry_ms = 2'000;
};

// The parts of a Lease that count. `version` is anything that differs whenever the lease was
// written: its resourceVersion, which is opaque.
struct LeaseRecord {
  std::string holder;  // empty: released
  std::string version;
  std::int64_t duration_ms = 0;  // leaseDurationSeconds as the holder wrote it
  std::int64_t transitions = 0;  // leaseTransitions
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

struct LeaseState {
  LeaseRecord observed;
  std::int64_t observed_ms = 0;  // when `observed` was first seen as it is
  bool leading = false;
  std::int64_t renewed_ms = 0;  // leading: when the last successful write began
};

enum class LeaseAction {
  kCreate,   // there is none
  kTake,     // released or not renewed for its duration: transitions + 1
  kRenew,    // it is ours
  kStandBy,  // somebody else leads
};

struct LeaseDecision {
  LeaseState state;
  LeaseAction action = LeaseAction::kStandBy;
  std::int64_t transitions = 0;  // what to write
};

// After a read. `lease` is empty where there is none. Our own lease found held by another means
// that we lost it: state.leading becomes false.
LeaseDecision DecideLease(LeaseState state, const std::optional<LeaseRecord>& lease,
                          const std::string& identity, const LeaseTimes& times,
                          std::int64_t now_ms);

// After our write succeeded; `began_ms` is when it was sent, which is the pessimistic moment.
LeaseState LeaseWritten(LeaseState state, const LeaseRecord& written, std::int64_t began_ms);

// Whether a leader must give up: no successful renewal for the renew deadline.
bool LeaseLost(const LeaseState& state, const LeaseTimes& times, std::int64_t now_ms);

// How long to wait before the next read or renewal. A leader's wait never passes its deadline.
std::int64_t LeaseWaitMs(const LeaseState& state, const LeaseTimes& times, std::int64_t now_ms,
                         double random);

}  // namespace shm
