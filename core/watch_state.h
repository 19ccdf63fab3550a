// What a list-and-watch does next: named states, advanced by what the server said.
//
// Modelled on client-go's reflector and kube-rs' watcher. A list is streamed where the server can
// (KEP-3157: a watch that begins with every object and marks their end by a bookmark), else fetched
// in pages. Pure: it neither sends nor waits; the
// caller does the one thing that WatchAction names and comes back with the WatchEvent that says how
// it went. Resource versions and continue tokens are opaque (trap W8): kept, compared for nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/backoff.h"

namespace shm {

enum class WatchPhase {
  kEmpty,      // nothing was asked yet
  kListing,    // page by page; `continue_token` is the next page's
  kStreaming,  // a list as the beginning of a watch, until the server marks its end
  kWatching,   // from `resource_version`
  kBackoff,    // waiting, then `after_backoff`
};
std::string_view WatchPhaseName(WatchPhase phase);

// Which state of the server a list asks for.
enum class ListFrom {
  kLastSeen,   // not older than `resource_version`
  kMostRecent  // consistent, resourceVersion ""; what always works
};

struct WatchState {
  WatchPhase phase = WatchPhase::kEmpty;
  WatchPhase after_backoff = WatchPhase::kListing;  // kListing, kStreaming or kWatching
  std::string resource_version;                     // last one seen; empty: none
  ListFrom list_from = ListFrom::kMostRecent;
  std::string continue_token;   // empty: the first page
  int expired_pages = 0;        // lists that a page's token expired under, in a row
  bool stream_lists = false;    // set by the caller at first; cleared for good by kUnsupported
  int stream_cuts = 0;          // streamed lists that broke off before their end mark, in a row
  int failures = 0;             // in a row, without progress between
  std::int64_t backoff_ms = 0;  // of the present wait
  bool synced = false;          // a list was completed once
  bool progressed = false;      // the present watch delivered something
};

struct WatchEvent {
  enum class Kind {
    kStart,          // first event of all
    kPage,           // a page of a list came: resource_version, continue_token
    kListFailed,     // error
    kProgress,       // the stream delivered an object or a bookmark: resource_version
    kListEnd,        // the stream delivered the mark that ends its list: resource_version
    kWatchError,     // an ERROR event, or a status other than 200, in `error` (trap W1)
    kWatchEnded,     // in order, or by a failure (`clean` says)
    kBackoffElapsed  // the wait is over
  };
  enum class Error {
    kOther,
    kExpired,        // 410: resourceVersion or continue token too old
    kFutureVersion,  // the server has not got that far: it restarted from older data
    kUnsupported,    // a streamed list was refused as such, or its end mark never came
  };
  Kind kind = Kind::kStart;
  std::string resource_version;
  std::string continue_token;
  Error error = Error::kOther;
  bool clean = false;
  std::int64_t retry_after_ms = 0;  // what the server asked for (trap W5); 0: nothing
};

// The one thing to do next.
struct WatchAction {
  enum class Kind { kListPage, kStream, kWatch, kWait, kContinue };
  Kind kind = Kind::kContinue;  // kContinue: go on reading the same stream
  bool begin_list = false;      // kListPage, kStream: forget what was seen of an earlier list
  bool end_list = false;        // the list is complete: what it lacked is deleted (trap W2)
  bool paginate = true;         // kListPage: limit 500, else all at once
  ListFrom list_from = ListFrom::kMostRecent;
  std::string resource_version;  // kListPage and kStream with kLastSeen, kWatch
  std::string continue_token;    // kListPage
  std::int64_t wait_ms = 0;      // kWait
};

struct WatchStep {
  WatchState state;
  WatchAction action;
};

// `random` in [0, 1) is used where the step backs off (trap W4). Events that cannot occur in a
// phase lead to a list from the most recent state, which is always right.
WatchStep AdvanceWatch(WatchState state, const WatchEvent& event, const Backoff& backoff,
                       double random);

}  // namespace shm
