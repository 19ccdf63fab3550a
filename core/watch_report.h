// What a cache that follows the API server did or met, for the log and the metrics.
//
// The client tells it (kube/reflector_types.h) and the process counts it (runtime/cache_report.h):
// neither room sees the other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shm {

struct WatchReport {
  enum class Kind {
    kListed,         // a list was completed: `objects`, `streamed`
    kListFailed,     // `reason`, `error`; also of a streamed list, before its end mark
    kStreamRefused,  // `reason`, `error`: lists come in pages from now on
    kWatchStarted,   // also that of a streamed list
    kReceived,       // an object or a bookmark came by the watch, behind the list
    kWatchEnded,     // in order
    kWatchFailed,    // `reason`, `error`; also a broken connection and our deadline
    kGarbage,        // the same: a line that is not a watch event; the watch is begun again
  };
  Kind kind = Kind::kListed;
  std::size_t objects = 0;
  bool streamed = false;
  std::string_view reason{};  // of a closed set, of static lifetime: a metric's label
  std::string error{};        // in words
};

}  // namespace shm
