#include "kube/watch_line.h"

#include <array>
#include <string>
#include <utility>

#include "kube/json_tree.h"
#include "kube/object_sink.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;
using Kind = WatchLine::Kind;

constexpr std::size_t kObjectDepth = 2;  // the event, its object

constexpr std::array<std::pair<std::string_view, Kind>, 4> kTypes = {{
    {"ERROR", Kind::kError},
    {"ADDED", Kind::kAdded},
    {"DELETED", Kind::kDeleted},
    {"BOOKMARK", Kind::kBookmark},
}};

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

// apimachinery pkg/apis/meta/v1, InitialEventsAnnotationKey.
bool MarksListEnd(const Json& bookmark) {
  const Json* meta = Member(bookmark, "metadata");
  const Json* annotations = meta != nullptr ? Member(*meta, "annotations") : nullptr;
  const Json* mark =
      annotations != nullptr ? Member(*annotations, "k8s.io/initial-events-end") : nullptr;
  return mark != nullptr && *mark == "true";
}

WatchLine Garbage(std::string_view line) {
  WatchLine garbage;
  garbage.error.reason = ErrorReason::kMalformed;
  garbage.error.message = "not a watch event: " + std::string(line.substr(0, 100));
  return garbage;
}

}  // namespace

WatchLine ReadWatchLine(std::string_view line, bool keep_managed_fields) {
  Json event = JsonTree(keep_managed_fields ? 0 : kObjectDepth).Parse(line);
  const Json* type = Member(event, "type");
  const Json* object = Member(event, "object");
  if (type == nullptr || !type->is_string() || object == nullptr || !object->is_object()) {
    return Garbage(line);
  }
  WatchLine read;
  read.kind = Kind::kModified;
  for (const auto& [name, kind] : kTypes) {
    if (name == type->get_ref<const std::string&>()) read.kind = kind;
  }
  if (read.kind == Kind::kError) {
    read.error = ErrorFromStatus(object->dump(-1, ' ', false, Json::error_handler_t::replace));
    return read;
  }
  if (read.kind == Kind::kBookmark && MarksListEnd(*object)) {
    // Without a version there is nothing to watch from.
    if (VersionOf(*object).resource_version.empty()) return Garbage(line);
    read.kind = Kind::kListEnd;
  }
  read.object = std::move(event["object"]);
  return read;
}

WatchEvent FailedEvent(WatchEvent::Kind kind, const ApiError& error) {
  WatchEvent event;
  event.kind = kind;
  if (error.reason == ErrorReason::kExpired) event.error = WatchEvent::Error::kExpired;
  if (error.reason == ErrorReason::kResourceVersionTooLarge) {
    event.error = WatchEvent::Error::kFutureVersion;
  }
  if (error.retry_after) event.retry_after_ms = error.retry_after->count() * 1000;
  return event;
}

bool RefusesStreams(const ApiError& error) {
  return error.reason == ErrorReason::kInvalid || error.reason == ErrorReason::kBadRequest;
}

}  // namespace shm::kube
