#include "core/watch_state.h"

#include <algorithm>
#include <utility>

namespace shm {
namespace {

// After so many failures in a row a watch is not merely unlucky: its resourceVersion is doubted.
constexpr int kFailuresBeforeRelist = 5;

// A list whose pages expire twice is too slow to page through: it is fetched whole.
constexpr int kExpiredPagesBeforeWholeList = 2;

// Lists that break off so often within their stream are fetched in pages, this time.
constexpr int kStreamCutsBeforePages = 2;

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

WatchStep Stream(WatchState state, ListFrom from) {
  WatchAction action;
  action.kind = WatchAction::Kind::kStream;
  action.begin_list = true;
  state.list_from = state.resource_version.empty() ? ListFrom::kMostRecent : from;
  action.list_from = state.list_from;
  if (state.list_from == ListFrom::kLastSeen) action.resource_version = state.resource_version;
  state.phase = WatchPhase::kStreaming;
  return {std::move(state), std::move(action)};
}

WatchStep BeginList(WatchState state, ListFrom from) {
  return state.stream_lists ? Stream(std::move(state), from) : FirstPage(std::move(state), from);
}

WatchPhase ListPhase(const WatchState& state) {
  return state.stream_lists ? WatchPhase::kStreaming : WatchPhase::kListing;
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

void Listed(WatchState& state, const WatchEvent& event) {
  state.continue_token.clear();
  state.expired_pages = 0;
  state.stream_cuts = 0;
  state.synced = true;
  state.resource_version = event.resource_version;
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
  Listed(state, event);
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
    const WatchPhase then = relist ? ListPhase(state) : WatchPhase::kWatching;
    return BackOff(std::move(state), then, event, backoff, random);
  }
  const bool future = event.error == WatchEvent::Error::kFutureVersion;
  const ListFrom from = future ? ListFrom::kMostRecent : ListFrom::kLastSeen;
  if (state.failures == 1) return BeginList(std::move(state), from);
  state.list_from = from;
  const WatchPhase then = ListPhase(state);
  return BackOff(std::move(state), then, event, backoff, random);
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
    case WatchEvent::Kind::kListEnd:  // a second mark is a bookmark like others
      return OnProgress(std::move(state), event);
    case WatchEvent::Kind::kWatchError:
      return OnWatchError(std::move(state), event, backoff, random);
    case WatchEvent::Kind::kWatchEnded:
      if (!event.clean) return OnWatchError(std::move(state), event, backoff, random);
      state.failures = 0;
      return Watch(std::move(state));
    default:
      return BeginList(std::move(state), ListFrom::kMostRecent);
  }
}

// The same stream is a watch from here on. What it showed so far carried versions of single
// objects, in no order: the mark's is the first that a watch can begin at.
WatchStep OnListEnd(WatchState state, const WatchEvent& event) {
  WatchAction action;
  if (event.resource_version.empty()) return {std::move(state), action};  // marks nothing
  Listed(state, event);
  state.phase = WatchPhase::kWatching;
  state.progressed = false;
  action.end_list = true;
  return {std::move(state), std::move(action)};
}

WatchStep OnStreamFailed(WatchState state, const WatchEvent& event, const Backoff& backoff,
                         double random) {
  if (event.error == WatchEvent::Error::kUnsupported) {
    state.stream_lists = false;
    const ListFrom from = state.list_from;
    return FirstPage(std::move(state), from);
  }
  const bool had_choice = state.list_from == ListFrom::kLastSeen;
  state.list_from = ListFrom::kMostRecent;
  if (event.error != WatchEvent::Error::kOther && had_choice) {
    return Stream(std::move(state), ListFrom::kMostRecent);
  }
  ++state.failures;
  if (event.kind == WatchEvent::Kind::kWatchEnded) ++state.stream_cuts;
  const bool pages =
      state.stream_cuts >= kStreamCutsBeforePages || state.failures >= kFailuresBeforeRelist;
  if (pages) state.continue_token.clear();
  return BackOff(std::move(state), pages ? WatchPhase::kListing : WatchPhase::kStreaming, event,
                 backoff, random);
}

WatchStep OnStreaming(WatchState state, const WatchEvent& event, const Backoff& backoff,
                      double random) {
  switch (event.kind) {
    case WatchEvent::Kind::kProgress:
      return {std::move(state), WatchAction{}};
    case WatchEvent::Kind::kListEnd:
      return OnListEnd(std::move(state), event);
    case WatchEvent::Kind::kWatchError:
    case WatchEvent::Kind::kWatchEnded:
      return OnStreamFailed(std::move(state), event, backoff, random);
    default:
      return BeginList(std::move(state), ListFrom::kMostRecent);
  }
}

WatchStep AfterBackoff(WatchState state) {
  state.backoff_ms = 0;
  switch (state.after_backoff) {
    case WatchPhase::kWatching:
      return Watch(std::move(state));
    case WatchPhase::kStreaming: {
      const ListFrom from = state.list_from;
      return Stream(std::move(state), from);
    }
    default:
      return ListPage(std::move(state));
  }
}

}  // namespace

std::string_view WatchPhaseName(WatchPhase phase) {
  switch (phase) {
    case WatchPhase::kEmpty:
      return "Empty";
    case WatchPhase::kListing:
      return "Listing";
    case WatchPhase::kStreaming:
      return "Streaming";
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
    case WatchPhase::kStreaming:
      return OnStreaming(std::move(state), event, backoff, random);
    case WatchPhase::kWatching:
      return OnWatching(std::move(state), event, backoff, random);
    case WatchPhase::kBackoff:
      if (event.kind == WatchEvent::Kind::kBackoffElapsed) return AfterBackoff(std::move(state));
      break;
  }
  return BeginList(std::move(state), ListFrom::kMostRecent);
}

}  // namespace shm
