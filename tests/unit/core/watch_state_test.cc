#include "core/watch_state.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace shm {
namespace {

using Kind = WatchEvent::Kind;
using Fault = WatchEvent::Error;
using Do = WatchAction::Kind;

constexpr Backoff kBackoff{.base_ms = 1000, .max_ms = 8000, .factor = 2.0, .jitter = 0.0};

WatchEvent Event(Kind kind) {
  WatchEvent event;
  event.kind = kind;
  return event;
}
WatchEvent Page(const std::string& version, const std::string& token = "") {
  WatchEvent event = Event(Kind::kPage);
  event.resource_version = version;
  event.continue_token = token;
  return event;
}
WatchEvent Failure(Kind kind, Fault error, std::int64_t retry_after_ms = 0) {
  WatchEvent event = Event(kind);
  event.error = error;
  event.retry_after_ms = retry_after_ms;
  return event;
}
WatchEvent Progress(const std::string& version) {
  WatchEvent event = Event(Kind::kProgress);
  event.resource_version = version;
  return event;
}
WatchEvent Ended(bool clean) {
  WatchEvent event = Event(Kind::kWatchEnded);
  event.clean = clean;
  return event;
}

// One machine and its last step.
struct Machine {
  WatchState state;
  WatchAction action;
  const WatchAction& Feed(const WatchEvent& event) {
    WatchStep step = AdvanceWatch(state, event, kBackoff, 0.0);
    state = step.state;
    action = step.action;
    return action;
  }
};

Machine Watching() {
  Machine machine;
  machine.Feed(Event(Kind::kStart));
  machine.Feed(Page("v7"));
  return machine;
}

TEST_CASE("The first list asks for the most recent state, in pages") {
  Machine machine;
  const WatchAction& action = machine.Feed(Event(Kind::kStart));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.begin_list);
  CHECK(action.paginate);
  CHECK(action.list_from == ListFrom::kMostRecent);
  CHECK(action.resource_version.empty());
  CHECK_FALSE(machine.state.synced);
}

TEST_CASE("W5: pages follow each other and only the last one ends the list") {
  Machine machine;
  machine.Feed(Event(Kind::kStart));
  WatchAction action = machine.Feed(Page("v7", "token-2"));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.continue_token == "token-2");
  CHECK_FALSE(action.begin_list);
  CHECK_FALSE(action.end_list);
  action = machine.Feed(Page("v7"));
  CHECK(action.kind == Do::kWatch);
  CHECK(action.end_list);
  CHECK(action.resource_version == "v7");
  CHECK(machine.state.synced);
}

TEST_CASE("Objects and bookmarks move the version that the next watch begins at") {
  Machine machine = Watching();
  CHECK(machine.Feed(Progress("v8")).kind == Do::kContinue);
  CHECK(machine.Feed(Progress("")).kind == Do::kContinue);
  const WatchAction& action = machine.Feed(Ended(true));
  CHECK(action.kind == Do::kWatch);
  CHECK(action.resource_version == "v8");
  CHECK_FALSE(action.end_list);
}

TEST_CASE("W8: versions are kept as they are, whether or not they grow") {
  Machine machine = Watching();
  machine.Feed(Progress("900"));
  machine.Feed(Progress("10"));
  CHECK(machine.state.resource_version == "10");
}

TEST_CASE("W1: an expired version leads to a list not older than it, then to the most recent") {
  Machine machine = Watching();
  machine.Feed(Progress("v8"));
  WatchAction action = machine.Feed(Failure(Kind::kWatchError, Fault::kExpired));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.begin_list);
  CHECK(action.list_from == ListFrom::kLastSeen);
  CHECK(action.resource_version == "v8");
  action = machine.Feed(Failure(Kind::kListFailed, Fault::kExpired));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.list_from == ListFrom::kMostRecent);
  CHECK(action.resource_version.empty());
}

TEST_CASE("A server that has not reached the version yet is listed from its most recent state") {
  for (const Kind kind : {Kind::kWatchError, Kind::kListFailed}) {
    Machine machine = Watching();
    if (kind == Kind::kListFailed) machine.Feed(Failure(Kind::kWatchError, Fault::kExpired));
    const WatchAction& action = machine.Feed(Failure(kind, Fault::kFutureVersion));
    CHECK(action.kind == Do::kListPage);
    CHECK(action.list_from == ListFrom::kMostRecent);
  }
}

TEST_CASE("Watches that expire right after each list are not repeated without pause") {
  Machine machine = Watching();
  CHECK(machine.Feed(Failure(Kind::kWatchError, Fault::kExpired)).kind == Do::kListPage);
  CHECK(machine.Feed(Page("v9")).kind == Do::kWatch);
  CHECK(machine.Feed(Failure(Kind::kWatchError, Fault::kExpired)).kind == Do::kWait);
  CHECK(machine.action.wait_ms == 2000);
  CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kListPage);
}

TEST_CASE("A page that expires begins the list anew, and the second time without pages") {
  Machine machine;
  machine.Feed(Event(Kind::kStart));
  machine.Feed(Page("v7", "token-2"));
  WatchAction action = machine.Feed(Failure(Kind::kListFailed, Fault::kExpired));
  CHECK(action.begin_list);
  CHECK(action.paginate);
  CHECK(action.continue_token.empty());
  machine.Feed(Page("v8", "token-3"));
  action = machine.Feed(Failure(Kind::kListFailed, Fault::kExpired));
  CHECK(action.begin_list);
  CHECK_FALSE(action.paginate);
  CHECK(machine.Feed(Page("v9")).kind == Do::kWatch);
  CHECK(machine.state.expired_pages == 0);
}

TEST_CASE("W5: a page refused with Retry-After is asked for again after that time") {
  Machine machine;
  machine.Feed(Event(Kind::kStart));
  machine.Feed(Page("v7", "token-2"));
  WatchAction action = machine.Feed(Failure(Kind::kListFailed, Fault::kOther, 20'000));
  CHECK(action.kind == Do::kWait);
  CHECK(action.wait_ms == 20'000);
  action = machine.Feed(Event(Kind::kBackoffElapsed));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.continue_token == "token-2");
  CHECK_FALSE(action.begin_list);
}

TEST_CASE("W4: failures in a row wait longer each, and the version survives them") {
  Machine machine = Watching();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 4; ++i) {
    CHECK(machine.Feed(Ended(false)).kind == Do::kWait);
    waits.push_back(machine.action.wait_ms);
    CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kWatch);
    CHECK(machine.action.resource_version == "v7");
  }
  CHECK(waits == std::vector<std::int64_t>{1000, 2000, 4000, 8000});
  machine.Feed(Progress("v8"));
  machine.Feed(Ended(false));
  CHECK(machine.action.wait_ms == 1000);
}

TEST_CASE("A watch that fails five times in a row is doubted and listed anew") {
  Machine machine = Watching();
  for (int i = 0; i < 4; ++i) {
    machine.Feed(Ended(false));
    CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kWatch);
  }
  machine.Feed(Ended(false));
  const WatchAction& action = machine.Feed(Event(Kind::kBackoffElapsed));
  CHECK(action.kind == Do::kListPage);
  CHECK(action.begin_list);
  CHECK(action.list_from == ListFrom::kMostRecent);
}

TEST_CASE("A list without a version is no list") {
  Machine machine;
  machine.Feed(Event(Kind::kStart));
  const WatchAction& action = machine.Feed(Page(""));
  CHECK(action.kind == Do::kWait);
  CHECK_FALSE(action.end_list);
  CHECK_FALSE(machine.state.synced);
}

TEST_CASE("An event that cannot occur in a phase leads to a list from the most recent state") {
  const std::vector<std::pair<WatchPhase, Kind>> impossible = {
      {WatchPhase::kListing, Kind::kProgress}, {WatchPhase::kListing, Kind::kWatchEnded},
      {WatchPhase::kWatching, Kind::kPage},    {WatchPhase::kWatching, Kind::kBackoffElapsed},
      {WatchPhase::kBackoff, Kind::kPage},     {WatchPhase::kEmpty, Kind::kProgress}};
  for (const auto& [phase, kind] : impossible) {
    WatchState state;
    state.phase = phase;
    state.resource_version = "v7";
    state.continue_token = "token";
    const WatchStep step = AdvanceWatch(state, Event(kind), kBackoff, 0.0);
    INFO(WatchPhaseName(phase));
    CHECK(step.action.kind == Do::kListPage);
    CHECK(step.action.begin_list);
    CHECK(step.action.list_from == ListFrom::kMostRecent);
  }
}

Machine Streaming(const std::string& known = "") {
  Machine machine;
  machine.state.stream_lists = true;
  machine.state.resource_version = known;
  machine.Feed(Event(Kind::kStart));
  return machine;
}
WatchEvent Mark(const std::string& version) {
  WatchEvent event = Event(Kind::kListEnd);
  event.resource_version = version;
  return event;
}

TEST_CASE("A streamed list ends at its mark, and the same stream is the watch") {
  Machine machine = Streaming();
  CHECK(machine.action.kind == Do::kStream);
  CHECK(machine.action.begin_list);
  CHECK(machine.action.list_from == ListFrom::kMostRecent);
  for (const char* version : {"900", "3", ""}) {
    const WatchAction& action = machine.Feed(Progress(version));
    CHECK(action.kind == Do::kContinue);
    CHECK_FALSE(action.end_list);
  }
  CHECK(machine.state.resource_version.empty());
  CHECK_FALSE(machine.state.synced);
  machine.Feed(Mark("v7"));
  CHECK(machine.action.kind == Do::kContinue);
  CHECK(machine.action.end_list);
  CHECK(machine.state.synced);
  CHECK(machine.state.phase == WatchPhase::kWatching);
  machine.Feed(Ended(true));
  CHECK(machine.action.kind == Do::kWatch);
  CHECK(machine.action.resource_version == "v7");
}

TEST_CASE("A mark without a version ends nothing, and a second one is a bookmark") {
  Machine machine = Streaming();
  machine.Feed(Mark(""));
  CHECK_FALSE(machine.action.end_list);
  CHECK(machine.state.phase == WatchPhase::kStreaming);
  machine.Feed(Mark("v7"));
  machine.Feed(Mark("v8"));
  CHECK_FALSE(machine.action.end_list);
  CHECK(machine.state.resource_version == "v8");
}

TEST_CASE("What ends a streamed list before its mark, and what comes then") {
  struct Row {
    const char* name;
    std::vector<WatchEvent> faults;  // each wait between them elapses
    std::string known;               // version seen before
    Do then;
    ListFrom from;
    std::size_t waits;
    bool streams;  // later lists
  };
  const auto fails = [](Fault fault) { return Failure(Kind::kWatchError, fault); };
  const WatchEvent other = fails(Fault::kOther);
  const auto most = ListFrom::kMostRecent;
  const Row rows[] = {
      {"refused", {fails(Fault::kUnsupported)}, "", Do::kListPage, most, 0, false},
      {"refused at a relist",
       {fails(Fault::kUnsupported)},
       "v1",
       Do::kListPage,
       ListFrom::kLastSeen,
       0,
       false},
      {"W1: 410 on the last version", {fails(Fault::kExpired)}, "v1", Do::kStream, most, 0, true},
      {"410 on any version", {fails(Fault::kExpired)}, "", Do::kStream, most, 1, true},
      {"410 twice",
       {fails(Fault::kExpired), fails(Fault::kExpired)},
       "v1",
       Do::kStream,
       most,
       1,
       true},
      {"a server with older data",
       {fails(Fault::kFutureVersion)},
       "v1",
       Do::kStream,
       most,
       0,
       true},
      {"a cut", {Ended(false)}, "v1", Do::kStream, most, 1, true},
      {"an end in good order", {Ended(true)}, "", Do::kStream, most, 1, true},
      {"two cuts", {Ended(false), Ended(true)}, "", Do::kListPage, most, 2, true},
      {"four failures", {other, other, other, other}, "v1", Do::kStream, most, 4, true},
      {"five failures", {other, other, other, other, other}, "", Do::kListPage, most, 5, true},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    Machine machine = Streaming();
    if (!row.known.empty()) {
      machine.Feed(Mark(row.known));
      machine.Feed(Progress(row.known));
      machine.Feed(Failure(Kind::kWatchError, Fault::kExpired));
      machine.state.failures = 0;
      REQUIRE(machine.action.kind == Do::kStream);
      REQUIRE(machine.action.resource_version == row.known);
    }
    std::size_t waits = 0;
    for (const WatchEvent& fault : row.faults) {
      machine.Feed(fault);
      if (machine.action.kind != Do::kWait) continue;
      ++waits;
      machine.Feed(Event(Kind::kBackoffElapsed));
    }
    CHECK(machine.action.kind == row.then);
    CHECK(machine.action.begin_list);
    CHECK(machine.action.list_from == row.from);
    CHECK(waits == row.waits);
    CHECK(machine.state.stream_lists == row.streams);
  }
}

TEST_CASE("Pages after cuts are for once: the next list is streamed again") {
  Machine machine = Streaming();
  for (int i = 0; i < 2; ++i) {
    machine.Feed(Ended(false));
    machine.Feed(Event(Kind::kBackoffElapsed));
  }
  REQUIRE(machine.action.kind == Do::kListPage);
  machine.Feed(Page("v9"));
  CHECK(machine.state.stream_cuts == 0);
  machine.Feed(Progress("v10"));
  CHECK(machine.Feed(Failure(Kind::kWatchError, Fault::kExpired)).kind == Do::kStream);
}

TEST_CASE("W4: a watch that keeps failing after its streamed list is waited for, then doubted") {
  Machine machine = Streaming();
  machine.Feed(Mark("v7"));
  for (int i = 0; i < 4; ++i) {
    CHECK(machine.Feed(Ended(false)).kind == Do::kWait);
    CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kWatch);
  }
  machine.Feed(Ended(false));
  CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kStream);
}

TEST_CASE("W1: watches that expire right after each streamed list are not repeated without pause") {
  Machine machine = Streaming();
  machine.Feed(Mark("v7"));
  CHECK(machine.Feed(Failure(Kind::kWatchError, Fault::kExpired)).kind == Do::kStream);
  machine.Feed(Mark("v9"));
  CHECK(machine.Feed(Failure(Kind::kWatchError, Fault::kExpired)).kind == Do::kWait);
  CHECK(machine.Feed(Event(Kind::kBackoffElapsed)).kind == Do::kStream);
}

}  // namespace
}  // namespace shm
