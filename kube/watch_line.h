// What one line of a watch says, and what a failure means to the state machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/watch_state.h"
#include "kube/api_error.h"

namespace shm::kube {

struct WatchLine {
  enum class Kind {
    kGarbage,  // no watch event; `error` says what it is
    kError,    // an ERROR event: `error`
    kAdded,
    kModified,  // and whatever else has an object
    kDeleted,
    kBookmark,
    kListEnd,  // the bookmark that ends a streamed list; it has a resourceVersion
  };
  Kind kind = Kind::kGarbage;
  nlohmann::json object{};  // but for kGarbage and kError; without managedFields unless kept
  ApiError error{};
};
WatchLine ReadWatchLine(std::string_view line, bool keep_managed_fields = false);

// The event that tells the state machine of `error`.
WatchEvent FailedEvent(WatchEvent::Kind kind, const ApiError& error);

// Whether this is what a server says that does not know streamed lists, or has them switched off:
// Invalid (apimachinery pkg/apis/meta/internalversion/validation), or that it cannot read the
// query.
bool RefusesStreams(const ApiError& error);

}  // namespace shm::kube
