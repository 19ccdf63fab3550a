// What a Reflector is told, what it tells, and the paths that it asks for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/backoff.h"
#include "core/watch_report.h"
#include "core/watch_state.h"
#include "kube/api_error.h"
#include "kube/resource.h"
#include "kube/scope.h"

namespace shm::kube {

struct ReflectorOptions {
  ResourceType type;
  Scope scope{};
  std::string label_selector{};
  std::string field_selector{};
  int page_size = 500;
  // What the server is asked to end a watch after; each watch gets 1 to 2 times this, so that those
  // of many clients do not end together. `watch_grace` later the connection is taken for dead (W3).
  std::chrono::seconds watch_timeout{290};
  std::chrono::milliseconds watch_grace{5000};
  std::chrono::milliseconds list_timeout{60'000};     // of one page
  std::chrono::milliseconds stream_timeout{120'000};  // of a streamed list, to its end mark
  bool stream_lists = true;                           // false: pages only
  bool keep_managed_fields = false;                   // in the objects that the sink is given
  Backoff backoff;
};

// What happened, for metrics and the log.
struct ReflectorEvent {
  using Kind = WatchReport::Kind;
  Kind kind = Kind::kListed;
  std::size_t objects = 0;
  ApiError error;
  bool streamed = false;
};

struct ReflectorStats {
  std::uint64_t lists = 0;           // completed
  std::uint64_t streamed_lists = 0;  // of these
  std::uint64_t stream_refusals = 0;
  std::uint64_t list_failures = 0;
  std::uint64_t watches = 0;  // begun
  std::uint64_t watch_failures = 0;
  std::uint64_t events = 0;  // objects and bookmarks of watches
  std::uint64_t garbage = 0;
  WatchPhase phase = WatchPhase::kEmpty;
  int failures = 0;  // in a row
  bool synced = false;
  // Why the server refused the last list or watch (403, or 404 for a kind that it does not serve);
  // nothing once it has answered well again.
  std::optional<ErrorReason> refusal;
  std::chrono::steady_clock::time_point progress;  // when the server last answered well
};

WatchReport ReportOf(const ReflectorEvent& event);

void CountEvent(const ReflectorEvent& event, ReflectorStats& stats);

// Path and query of a page of a list (kListPage), and of a watch that ends after `timeout` by the
// server's clock (kStream, kWatch).
std::string ListPath(const ReflectorOptions& options, const WatchAction& action);
std::string WatchPath(const ReflectorOptions& options, const WatchAction& action,
                      std::chrono::seconds timeout);

}  // namespace shm::kube
