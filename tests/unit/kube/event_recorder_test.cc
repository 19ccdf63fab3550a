#include "kube/event_recorder.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/kube/fake_api.h"
#include "tests/unit/kube/fakes.h"

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using testing::FakeApi;
using testing::FakeClock;
using Json = nlohmann::json;

const ObjectReference kObject{
    "shm-operator.dev/v1alpha1", "InferenceService", {"llm", "qwen"}, "uid-1", "7"};

struct World {
  FakeApi api;
  FakeClock clock;
  EventRecorderOptions options;
  std::vector<Json> Stored() {
    std::vector<Json> events;
    static_cast<void>(
        api.List(Events(), "llm", {}, [&events](Json&& event) { events.push_back(event); }));
    return events;
  }
};

int WriteAll(EventRecorder& recorder) {
  int written = 0;
  while (recorder.WriteOne()) ++written;
  return written;
}

TEST_CASE("The same event is one object that counts, also after a restart") {
  World world;
  for (int process = 0; process < 2; ++process) {
    EventRecorder recorder(world.api, world.options, world.clock);
    for (int i = 0; i < 3; ++i) recorder.Record(kObject, EventType::kWarning, "TooSmall", "m");
    CHECK(WriteAll(recorder) == 1);
    recorder.Record(kObject, EventType::kWarning, "TooSmall", "m");
    CHECK(WriteAll(recorder) == 1);
  }
  const auto events = world.Stored();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["count"] == 8);
  CHECK(events[0]["type"] == "Warning");
  CHECK(events[0]["involvedObject"]["uid"] == "uid-1");
  CHECK(events[0]["metadata"]["name"].get<std::string>().find("qwen.") == 0);
}

TEST_CASE("Another message, reason, type or object is another event") {
  World world;
  EventRecorder recorder(world.api, world.options, world.clock);
  ObjectReference successor = kObject;
  successor.uid = "uid-2";
  recorder.Record(kObject, EventType::kWarning, "TooSmall", "m");
  recorder.Record(kObject, EventType::kNormal, "TooSmall", "m");
  recorder.Record(kObject, EventType::kWarning, "Other", "m");
  recorder.Record(kObject, EventType::kWarning, "TooSmall", "n");
  recorder.Record(successor, EventType::kWarning, "TooSmall", "m");
  WriteAll(recorder);
  CHECK(world.Stored().size() == 5);
}

TEST_CASE("Writes keep to the rate after a burst") {
  World world;
  world.options.burst = 3;
  world.options.per_second = 2;
  EventRecorder recorder(world.api, world.options, world.clock);
  for (int i = 0; i < 10; ++i) {
    recorder.Record(kObject, EventType::kNormal, "R", std::to_string(i));
  }
  CHECK(WriteAll(recorder) == 3);
  world.clock.Advance(1s);
  CHECK(WriteAll(recorder) == 2);
  world.clock.Advance(3600s);
  CHECK(WriteAll(recorder) == 3);
}

TEST_CASE("A full queue drops new events and counts them, and counts of waiting ones go on") {
  World world;
  world.options.queue = 2;
  EventRecorder recorder(world.api, world.options, world.clock);
  for (const char* message : {"a", "b", "c", "a"}) {
    recorder.Record(kObject, EventType::kNormal, "R", message);
  }
  CHECK(recorder.Dropped() == 1);
  CHECK(WriteAll(recorder) == 2);
  CHECK(world.Stored().size() == 2);
}

TEST_CASE("An event that expired meanwhile is made anew") {
  World world;
  EventRecorder recorder(world.api, world.options, world.clock);
  recorder.Record(kObject, EventType::kNormal, "R", "m");
  WriteAll(recorder);
  const std::string name = world.Stored()[0]["metadata"]["name"];
  REQUIRE(world.api.Delete(Events(), {"llm", name}, {}).ok());
  recorder.Record(kObject, EventType::kNormal, "R", "m");
  WriteAll(recorder);
  REQUIRE(world.Stored().size() == 1);
  CHECK(world.Stored()[0]["count"] == 1);
}

TEST_CASE("A long message is cut between characters") {
  World world;
  EventRecorder recorder(world.api, world.options, world.clock);
  std::string message(1023, 'x');
  recorder.Record(kObject, EventType::kNormal, "R", message + "\xc3\xa9\xc3\xa9");
  WriteAll(recorder);
  CHECK(world.Stored()[0]["message"] == message);
}

TEST_CASE("A failed write is given up, and the thread ends when asked") {
  World world;
  world.api.FailNext(ErrorReason::kForbidden);
  EventRecorder recorder(world.api, world.options, world.clock);
  recorder.Record(kObject, EventType::kNormal, "R", "m");
  CHECK(WriteAll(recorder) == 1);
  CHECK(world.Stored().empty());
  recorder.Start();
  recorder.Stop();
  recorder.Record(kObject, EventType::kNormal, "R", "late");
  CHECK(recorder.Dropped() == 1);
}

}  // namespace
}  // namespace shm::kube
