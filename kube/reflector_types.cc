#include "kube/reflector_types.h"

#include <utility>
#include <vector>

namespace shm::kube {

WatchReport ReportOf(const ReflectorEvent& event) {
  return {event.kind, event.objects, event.streamed, ErrorReasonName(event.error.reason),
          event.error.ToString()};
}

namespace {

std::string FieldSelector(const ReflectorOptions& options) {
  if (options.scope.name.empty()) return options.field_selector;
  return "metadata.name=" + options.scope.name +
         (options.field_selector.empty() ? "" : "," + options.field_selector);
}

}  // namespace

void CountEvent(const ReflectorEvent& event, ReflectorStats& stats) {
  if (event.error.reason == ErrorReason::kForbidden ||
      event.error.reason == ErrorReason::kNotFound) {
    stats.refusal = event.error.reason;
  }
  switch (event.kind) {
    case ReflectorEvent::Kind::kListed:
      ++stats.lists;
      stats.streamed_lists += event.streamed ? 1 : 0;
      break;
    case ReflectorEvent::Kind::kStreamRefused:
      ++stats.stream_refusals;
      break;
    case ReflectorEvent::Kind::kListFailed:
      ++stats.list_failures;
      break;
    case ReflectorEvent::Kind::kWatchStarted:
      ++stats.watches;
      break;
    case ReflectorEvent::Kind::kReceived:
    case ReflectorEvent::Kind::kWatchEnded:
      break;
    case ReflectorEvent::Kind::kWatchFailed:
      ++stats.watch_failures;
      break;
    case ReflectorEvent::Kind::kGarbage:
      ++stats.garbage;
      break;
  }
}

std::string ListPath(const ReflectorOptions& options, const WatchAction& action) {
  const bool pages = action.paginate && options.page_size > 0;
  std::vector<std::pair<std::string, std::string>> query = {
      {"labelSelector", options.label_selector},
      {"fieldSelector", FieldSelector(options)},
      {"limit", pages ? std::to_string(options.page_size) : ""},
      {"continue", action.continue_token}};
  // A continue token says which state it is of; the server refuses a version beside it.
  if (action.continue_token.empty() && action.list_from == ListFrom::kLastSeen) {
    query.emplace_back("resourceVersion", action.resource_version);
    query.emplace_back("resourceVersionMatch", "NotOlderThan");
  }
  return CollectionPath(options.type, options.scope.namespace_name) + QueryString(query);
}

std::string WatchPath(const ReflectorOptions& options, const WatchAction& action,
                      std::chrono::seconds timeout) {
  const bool list = action.kind == WatchAction::Kind::kStream;
  return CollectionPath(options.type, options.scope.namespace_name) +
         QueryString({{"labelSelector", options.label_selector},
                      {"fieldSelector", FieldSelector(options)},
                      {"watch", "true"},
                      {"allowWatchBookmarks", "true"},
                      {"sendInitialEvents", list ? "true" : ""},
                      {"resourceVersion", action.resource_version},
                      {"resourceVersionMatch", list ? "NotOlderThan" : ""},
                      {"timeoutSeconds", std::to_string(timeout.count())}});
}

}  // namespace shm::kube
