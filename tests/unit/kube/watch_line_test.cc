#include "kube/watch_line.h"

#include "tests/unit/kube/reflector_world.h"

namespace shm::kube {
namespace {

using namespace testing;
using Kind = WatchLine::Kind;

TEST_CASE("A line of a watch is one of few things, and whatever else is garbage") {
  const std::string marked = R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5",)";
  const std::pair<std::string, Kind> rows[] = {
      {Event("ADDED", Object("a", "1", "x")), Kind::kAdded},
      {Event("MODIFIED", Object("a", "1", "x")), Kind::kModified},
      {Event("UNHEARD-OF", Object("a", "1", "x")), Kind::kModified},
      {Event("DELETED", Object("a", "1", "x")), Kind::kDeleted},
      {Event("ERROR", Json::parse(Status(410, "Expired"))), Kind::kError},
      {Bookmark("5"), Kind::kBookmark},
      {EndMark("5"), Kind::kListEnd},
      {EndMark(""), Kind::kGarbage},
      {marked + R"("annotations":{"k8s.io/initial-events-end":"false"}}}})", Kind::kBookmark},
      {marked + R"("annotations":{"k8s.io/initial-events-end":true}}}})", Kind::kBookmark},
      {marked + R"("annotations":"k8s.io/initial-events-end"}}})", Kind::kBookmark},
      {R"({"type":"BOOKMARK","object":{"metadata":7}})", Kind::kBookmark},
      {R"({"type":"ADDED"})", Kind::kGarbage},
      {R"({"type":"ADDED","object":[]})", Kind::kGarbage},
      {R"({"type":3,"object":{}})", Kind::kGarbage},
      {"{}", Kind::kGarbage},
      {"[]", Kind::kGarbage},
      {"null", Kind::kGarbage},
      {"<html>", Kind::kGarbage},
      {"", Kind::kGarbage},
  };
  for (const auto& [line, kind] : rows) {
    INFO(line);
    const WatchLine read = ReadWatchLine(line);
    CHECK(read.kind == kind);
    CHECK(read.error.message.empty() == (kind != Kind::kGarbage && kind != Kind::kError));
  }
}

TEST_CASE("What a failure means to the state machine") {
  using Fault = WatchEvent::Error;
  struct Row {
    int code;
    std::string body;
    Fault fault;
    bool refuses_streams;
  };
  const Row rows[] = {
      {410, Status(410, "Gone"), Fault::kExpired, false},
      {410, Status(410, "Expired"), Fault::kExpired, false},
      {504, Status(504, "Timeout", "ResourceVersionTooLarge"), Fault::kFutureVersion, false},
      {504, Status(504, "Timeout"), Fault::kOther, false},
      {422, Status(422, "Invalid"), Fault::kOther, true},
      {400, Status(400, "BadRequest"), Fault::kOther, true},
      {400, "no Status at all", Fault::kOther, true},
      {403, Status(403, "Forbidden"), Fault::kOther, false},
      {404, Status(404, "NotFound"), Fault::kOther, false},
      {429, Status(429, "TooManyRequests"), Fault::kOther, false},
      {500, Status(500, "InternalError"), Fault::kOther, false},
  };
  for (const Row& row : rows) {
    INFO(row.code << " " << row.body);
    const ApiError error = ErrorFromResponse({row.code, row.body, std::chrono::seconds{3}});
    const WatchEvent event = FailedEvent(WatchEvent::Kind::kListFailed, error);
    CHECK(event.kind == WatchEvent::Kind::kListFailed);
    CHECK(event.error == row.fault);
    CHECK(event.retry_after_ms == 3000);
    CHECK(RefusesStreams(error) == row.refuses_streams);
  }
}

}  // namespace
}  // namespace shm::kube
