#include "core/watch_state.h"

#include <algorithm>
#include <utility>

namespace shm {
namespace {

// After so many failures in a row a watch is not merely unlucky: its resourceVersion is doubted.
constexpr int kFailuresBeforeRelist = 5;

// A list whose pages expire twice is too slow to page through: it is fetched whole.
constexpr int kExpiredPagesBeforeWholeList = 2;

WatchStep ListPage(WatchState state) {
  WatchAction action;
  action.kind = WatchAction::Kind::kListPage;
  action.begin_list = state.continue_token.empty();
  action.paginate = state.expired_pages < kExpiredPagesBeforeWholeList;
  action.continue_token = state.continue_token;
  action.list_from = state.list_from;
  if (state.list_from == ListFrom::kLastSeen) action.resource_version = state.resource_version;
  state.phase = WatchPhase::kListing;
  return {std::move(state), std::move(action)};
}

WatchStep FirstPage(WatchState state, ListFrom from) {
  // Without a version there is none to be not older than.
  state.list_from = state.resource_version.empty() ? ListFrom::kMostRecent : from;
  state.continue_token.clear();
  return ListPage(std::move(state));
}

WatchStep Watch(WatchState state) {
  WatchAction action;
  action.kind = WatchAction::Kind::kWatch;
  action.resource_version = state.resource_version;
  state.phase = WatchPhase::kWatching;
  state.progressed = false;
  return {std::move(state), std::move(action)};
}

WatchStep BackOff(WatchState state, WatchPhase then, const WatchEvent& event,
                  const Backoff& backoff, double random) {
  WatchAction action;
  action.kind = WatchAction::Kind::kWait;
  action.wait_ms = std::max(BackoffDelayMs(backoff, state.failures, random), event.retry_after_ms);
  state.phase = WatchPhase::kBackoff;
  state.after_backoff = then;
  state.backoff_ms = action.wait_ms;
  return {std::move(state), std::move(action)};
}

WatchStep OnListFailed(WatchState state, const WatchEvent& event, const Backoff& backoff,
                       double random) {
  const bool bad_version = event.error != WatchEvent::Error::kOther;
  if (bad_version && !state.continue_token.empty()) {
    ++state.expired_pages;
    return FirstPage(std::move(state), ListFrom::kMostRecent);
  }
  const bool had_choice = state.list_from == ListFrom::kLastSeen;
  // Whatever failed, the most recent state is what always works.
  state.list_from = ListFrom::kMostRecent;
  if (bad_version && had_choice) return FirstPage(std::move(state), ListFrom::kMostRecent);
  ++state.failures;
  // With a continue token the same page is asked for again: a 429 must not cost the pages before.
  return BackOff(std::move(state), WatchPhase::kListing, event, backoff, random);
}

WatchStep OnPage(WatchState state, const WatchEvent& event, const Backoff& backoff, double random) {
  if (!event.continue_token.empty()) {
    state.continue_token = event.continue_token;
    return ListPage(std::move(state));
  }
  if (event.resource_version.empty()) {  // nothing to watch from: no list at all
    state.continue_token.clear();
    return OnListFailed(std::move(state), WatchEvent{}, backoff, random);
  }
  state.continue_token.clear();
  state.expired_pages = 0;
  state.synced = true;
  state.resource_version = event.resource_version;
  // `failures` stays until the watch delivers: a watch that is refused as expired after each list
  // must not lead to lists without pause.
  WatchStep step = Watch(std::move(state));
  step.action.end_list = true;
  return step;
}

WatchStep OnWatchError(WatchState state, const WatchEvent& event, const Backoff& backoff,
                       double random) {
  ++state.failures;
  if (event.error == WatchEvent::Error::kOther) {
    const bool relist = state.failures >= kFailuresBeforeRelist;
    if (relist) state.list_from = ListFrom::kMostRecent;
    return BackOff(std::move(state), relist ? WatchPhase::kListing : WatchPhase::kWatching, event,
                   backoff, random);
  }
  const bool future = event.error == WatchEvent::Error::kFutureVersion;
  const ListFrom from = future ? ListFrom::kMostRecent : ListFrom::kLastSeen;
  if (state.failures == 1) return FirstPage(std::move(state), from);
  state.list_from = from;
  return BackOff(std::move(state), WatchPhase::kListing, event, backoff, random);
}

WatchStep OnProgress(WatchState state, const WatchEvent& event) {
  if (!event.resource_version.empty()) state.resource_version = event.resource_version;
  state.failures = 0;
  state.progressed = true;
  return {std::move(state), WatchAction{}};
}

WatchStep OnWatching(WatchState state, const WatchEvent& event, const Backoff& backoff,
                     double random) {
  switch (event.kind) {
    case WatchEvent::Kind::kProgress:
      return OnProgress(std::move(state), event);
    case WatchEvent::Kind::kWatchError:
      return OnWatchError(std::move(state), event, backoff, random);
    case WatchEvent::Kind::kWatchEnded:
      if (!event.clean) return OnWatchError(std::move(state), event, backoff, random);
      state.failures = 0;
      return Watch(std::move(state));
    default:
      return FirstPage(std::move(state), ListFrom::kMostRecent);
  }
}

}  // namespace

std::string_view WatchPhaseName(WatchPhase phase) {
  switch (phase) {
    case WatchPhase::kEmpty:
      return "Empty";
    case WatchPhase::kListing:
      return "Listing";
    case WatchPhase::kWatching:
      return "Watching";
    case WatchPhase::kBackoff:
      return "Backoff";
  }
  return "";
}

WatchStep AdvanceWatch(WatchState state, const WatchEvent& event, const Backoff& backoff,
                       double random) {
  switch (state.phase) {
    case WatchPhase::kEmpty:
      break;
    case WatchPhase::kListing:
      if (event.kind == WatchEvent::Kind::kPage) {
        return OnPage(std::move(state), event, backoff, random);
      }
      if (event.kind == WatchEvent::Kind::kListFailed) {
        return OnListFailed(std::move(state), event, backoff, random);
      }
      break;
    case WatchPhase::kWatching:
      return OnWatching(std::move(state), event, backoff, random);
    case WatchPhase::kBackoff:
      if (event.kind != WatchEvent::Kind::kBackoffElapsed) break;
      state.backoff_ms = 0;
      return state.after_backoff == WatchPhase::kWatching ? Watch(std::move(state))
                                                          : ListPage(std::move(state));
  }
  return FirstPage(std::move(state), ListFrom::kMostRecent);
}

}  // namespace shm
