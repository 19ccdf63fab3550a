#include "core/lease_decision.h"

#include <algorithm>
#include <utility>

namespace shm {
namespace {

// The holder's own promise, else ours.
std::int64_t DurationOf(const LeaseRecord& lease, const LeaseTimes& times) {
  return lease.duration_ms > 0 ? lease.duration_ms : times.duration_ms;
}

LeaseDecision Decided(LeaseState state, LeaseAction action, std::int64_t transitions) {
  return {std::move(state), action, transitions};
}

}  // namespace

LeaseDecision DecideLease(LeaseState state, const std::optional<LeaseRecord>& lease,
                          const std::string& identity, const LeaseTimes& times,
                          std::int64_t now_ms) {
  if (!lease) {
    // Deleted under us: whoever creates it first leads, so until we have, we do not.
    state.leading = false;
    state.observed = {};
    state.observed_ms = now_ms;
    return Decided(std::move(state), LeaseAction::kCreate, 0);
  }
  if (!(*lease == state.observed)) {
    state.observed = *lease;
    state.observed_ms = now_ms;
  }
  if (lease->holder == identity) {
    // Ours, perhaps from before a restart under the same name: then too it is only renewed.
    return Decided(std::move(state), LeaseAction::kRenew, lease->transitions);
  }
  state.leading = false;
  const bool expired = now_ms - state.observed_ms >= DurationOf(*lease, times);
  if (lease->holder.empty() || expired) {
    return Decided(std::move(state), LeaseAction::kTake, lease->transitions + 1);
  }
  return Decided(std::move(state), LeaseAction::kStandBy, lease->transitions);
}

LeaseState LeaseWritten(LeaseState state, const LeaseRecord& written, std::int64_t began_ms) {
  state.observed = written;
  state.observed_ms = began_ms;
  state.renewed_ms = began_ms;
  state.leading = true;
  return state;
}

bool LeaseLost(const LeaseState& state, const LeaseTimes& times, std::int64_t now_ms) {
  return state.leading && now_ms - state.renewed_ms >= times.renew_deadline_ms;
}

std::int64_t LeaseWaitMs(const LeaseState& state, const LeaseTimes& times, std::int64_t now_ms,
                         double random) {
  if (!state.leading) {
    // Up to 1.2 times as long again, so that candidates do not write at the same moment.
    return times.retry_ms +
           static_cast<std::int64_t>(1.2 * static_cast<double>(times.retry_ms) * random);
  }
  const std::int64_t left = state.renewed_ms + times.renew_deadline_ms - now_ms;
  return std::clamp<std::int64_t>(left, 0, times.retry_ms);
}

}  // namespace shm
