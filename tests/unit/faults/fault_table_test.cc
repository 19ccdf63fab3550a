// What an API server can do to a cache, a row each. After every row the store equals the server's
// truth, the server was asked no more often than it takes, and a metric tells what happened.
//
// From the bytes of the socket to the text of /metrics all is what the programs run; only the clock
// of the waits is a fake one.
#include <catch2/catch.hpp>
#include <fstream>

#include "kube/http_transport.h"
#include "runtime/cache_report.h"
#include "runtime/log.h"
#include "tests/support/shell.h"
#include "tests/unit/faults/api_model.h"

namespace shm::kube {
namespace {

using namespace testing;
using namespace std::chrono_literals;

const std::string kExpired = Status(410, "Expired");
const std::string kGoneEvent = Event("ERROR", Json::parse(kExpired));
const std::string kTooLarge = Status(504, "Timeout", "ResourceVersionTooLarge");

// A reflector in a program's wiring, before a server that will misbehave.
struct World {
  ApiModel model;
  SocketServer server{[this](Connection& connection) { model.Serve(connection); }};
  test::TempDir dir;
  FakeClock clock;
  runtime::Metrics metrics;
  std::unique_ptr<Transport> transport;
  std::vector<std::string> changes;
  Store<std::string> store{
      [](const Json& object) -> Result<std::string> { return object.value("value", ""); }};
  ReflectorOptions options;
  Mutex mutex;
  CondVar changed;

  World() {
    ClusterConfig config;
    config.tls = false;
    config.host = "127.0.0.1";
    config.port = server.port();
    config.token_file = dir.path() + "/token";
    WriteToken("old");
    auto made = MakeHttpTransport(config);
    REQUIRE(made.ok());
    transport = std::move(made).value();
    options.type = InferenceServices();
    options.backoff.jitter = 0;
    store.AddListener([this](const ObjectKey& key, const auto& before, const auto& after) {
      changes.push_back((before ? (after ? "~" : "-") : "+") + key.name);
      changed.NotifyAll();
    });
  }

  void WriteToken(const std::string& token) const { std::ofstream(dir.path() + "/token") << token; }

  // What happens behind the cache's back while its watch is hurt.
  void MoveOn() {
    store.WaitForSync(30s);
    clock.Advance(300s);
    model.Put("a", "mid");
    model.Put("a", "xx");
    model.Put("c", "z");
    model.Remove("b");
  }

  Truth Held() const {
    Truth held;
    for (const auto& name : {"a", "b", "c"}) {
      if (const auto found = store.Get("ns", name)) held[name] = *found;
    }
    return store.Size() == held.size() ? held : Truth{{"more than there ever was", ""}};
  }

  // Until the server was asked `requests` times and the store equals its truth. How often it had
  // been asked then.
  int RunUntilTrue(int requests) {
    Reflector reflector(
        *transport, store, options,
        [this](const ReflectorEvent& event) {
          runtime::ReportCache(metrics, "inferenceservices", "all", ReportOf(event));
        },
        clock);
    reflector.Start();
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    int asked = 0;
    MutexLock lock(mutex);
    while (std::chrono::steady_clock::now() < deadline) {
      asked = model.requests();
      if (model.moved_on() && asked >= requests && Held() == model.truth()) break;
      // Not every step towards the truth changes the store.
      changed.WaitUntil(mutex, std::chrono::steady_clock::now() + 5ms);
    }
    return asked;
  }

  double Metric(const std::string& sample) const {
    const std::string text = metrics.Exposition();
    const auto at = text.find(sample + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + sample.size() + 1));
  }

  std::int64_t Waited() const {
    std::int64_t waited = 0;
    for (const std::int64_t sleep : clock.sleeps) waited += sleep;
    return waited;
  }
};

const std::string kLabels = R"(",resource="inferenceservices"})";
std::string ListErrors(const std::string& reason) {
  return R"(reflector_list_errors_total{reason=")" + reason + kLabels;
}
std::string WatchErrors(const std::string& reason) {
  return R"(reflector_watch_errors_total{reason=")" + reason + kLabels;
}
const std::string kWatched = R"(reflector_watched_objects_total{resource="inferenceservices"})";

struct Expected {
  int asked;            // requests that the truth takes, the first list included
  int asked_at_most;    // more where the next one may have begun meanwhile
  std::int64_t waited;  // milliseconds of back-off; at least, where more may be asked
  std::size_t told;     // changes, the first list's two included
};

struct Row {
  const char* name;
  ApiModel::Answer in_watch;             // what the first watch suffers
  std::deque<ApiModel::Answer> answers;  // and the requests after it; the rest is answered well
  Expected expected;
  std::string metric;
  double at_least = 1;                         // what the metric came to
  std::function<void(World&)> set_up = {};     // before the start
  std::function<void(World&)> meanwhile = {};  // in place of World::MoveOn
};

// The model's versions 11 to 14, as lines of a watch.
const std::string kMid = Event("MODIFIED", Object("a", "11", "mid"));
const std::string kNewA = Event("MODIFIED", Object("a", "12", "xx"));
const std::string kNewC = Event("ADDED", Object("c", "13", "z"));
const std::string kNoB = Event("DELETED", Object("b", "14", "y"));

const ApiModel::Answer kEnd = SayAndEnd({});
const std::string kHalfALine = R"({"type":"ADDED","obj)";
const ApiModel::Answer kCut = CutWithin(kHalfALine);

bool EndWithinALine(Connection& connection) {
  return connection.Write(Chunk(kHalfALine) + kLastChunk);
}

void QuickDeadlines(World& world) {
  world.options.watch_timeout = 0s;
  world.options.watch_grace = 400ms;
  world.options.stream_timeout = 200ms;
  world.options.list_timeout = 200ms;
}

void QuickDeadlinesAndPages(World& world) {
  QuickDeadlines(world);
  world.options.watch_timeout = 300s;
  world.options.stream_lists = false;
}

void SlowStream(World& world) { world.options.stream_timeout = 200ms; }

void RestoreBackup(World& world) {
  world.store.WaitForSync(30s);
  world.model.Restore({{"a", "old"}}, 8);
}

// Once as the watch breaks, and again in each wait.
std::function<void(World&)> Jump(std::chrono::seconds by) {
  return [by](World& world) { world.clock.on_sleep = [&world, by] { world.clock.JumpWall(by); }; };
}

void MayEnterByToken(World& world) { world.model.SetToken("old"); }

// The machine slept: by its own clock the token that it holds was read a moment ago.
void TokenExpires(World& world) {
  world.WriteToken("new");
  world.model.SetToken("new");
  world.clock.JumpWall(24h);
  world.MoveOn();
}

const std::string kBusy = Status(429, "TooManyRequests");
const std::string kTooLargeBusy = Status(429, "TooManyRequests", "ResourceVersionTooLarge");
const std::string kIn1s = "Retry-After: 1\r\n";
const std::string kIn7s = "Retry-After: 7\r\n";

// clang-format off
const Row kRows[] = {
    {"W1: 410 as a status",
     kEnd, {Say(410, kExpired)},
     {3, 3, 0, 5}, WatchErrors("Expired")},
    {"W1: 410 as an ERROR event",
     SayLines({kGoneEvent}), {},
     {2, 2, 0, 5}, WatchErrors("Expired")},
    {"a frame truncated by a broken connection",
     kCut, {},
     {2, 2, 800, 6}, WatchErrors("Unreachable")},
    {"a frame truncated by an orderly end",
     EndWithinALine, {},
     {2, 2, 800, 6}, WatchErrors("Unreachable")},
    {"a garbage frame",
     SayLines({"<html>"}), {},
     {2, 2, 800, 6}, WatchErrors("Malformed")},
    {"W3: a half-open socket",
     FallSilent(), {},
     {2, 4, 800, 6}, WatchErrors("Timeout"), 1, QuickDeadlines},
    {"W5: 429 with Retry-After",
     kEnd, {Say(429, kBusy, kIn7s)},
     {3, 3, 7000, 6}, WatchErrors("TooManyRequests")},
    {"500 that is no Status",
     kEnd, {Say(500, "oops")},
     {3, 3, 800, 6}, WatchErrors("InternalError")},
    {"a streamed list too slow to end",
     SayLines({kGoneEvent}), {Drip(kNewC + "\n")},
     {3, 4, 0, 5}, ListErrors("Timeout"), 1, SlowStream},
    {"a page too slow to end",
     SayLines({kGoneEvent}), {Drip(R"({"kind":"List",)")},
     {4, 5, 1600, 5}, ListErrors("Timeout"), 1, QuickDeadlinesAndPages},
    {"RV too large, 504",
     kEnd, {Say(504, kTooLarge, kIn1s)},
     {3, 3, 0, 5}, WatchErrors("ResourceVersionTooLarge")},
    {"RV too large, 429",
     kEnd, {Say(429, kTooLargeBusy, kIn1s)},
     {3, 3, 0, 5}, WatchErrors("ResourceVersionTooLarge")},
    {"RV too large, again and again",
     kEnd, {Say(504, kTooLarge), Say(504, kTooLarge), Say(504, kTooLarge)},
     {5, 5, 1600 + 3200, 5}, ListErrors("ResourceVersionTooLarge"), 2},
    {"duplicate events",
     SayLines({kMid, kMid, kNewA, kNewA, kNewC, kNewC, kNoB, kNoB}), {},
     {1, 1, 0, 6}, kWatched, 7},  // the eighth may still be under way
    {"events of different objects out of order",
     SayAndEnd({kNoB, kNewC, kNewA}), {},
     {2, 2, 0, 5}, kWatched, 3},
    {"an old event of an object behind its new one",
     SayAndEnd({kNewA, kNewC, kNoB, kMid}), {},
     {2, 2, 0, 7}, kWatched, 4},
    {"W8: a server restarted from older data",
     kCut, {},
     {3, 3, 800 + 1600, 4}, WatchErrors("ResourceVersionTooLarge"), 1, {}, RestoreBackup},
    {"the date jumps forward",
     kCut, {},
     {2, 2, 800, 6}, WatchErrors("Unreachable"), 1, Jump(24h * 365)},
    {"the date jumps back",
     kCut, {},
     {2, 2, 800, 6}, WatchErrors("Unreachable"), 1, Jump(-24h * 365)},
    {"W9: the token expired while the machine slept",
     kEnd, {},
     {3, 3, 800, 6}, WatchErrors("Unauthorized"), 1, MayEnterByToken, TokenExpires},
};
// clang-format on

TEST_CASE("After every fault the store equals the truth, retries are bounded, a metric moved") {
  runtime::SetUpLog(runtime::LogLevel::kError, runtime::LogFormat::kText);
  for (const Row& row : kRows) {
    INFO(row.name);
    World world;
    if (row.set_up) row.set_up(world);
    world.model.SetScript({[&] { row.meanwhile ? row.meanwhile(world) : world.MoveOn(); },
                           row.in_watch, row.answers});
    const int asked = world.RunUntilTrue(row.expected.asked);
    CHECK(world.Held() == world.model.truth());
    CHECK(asked >= row.expected.asked);
    CHECK(asked <= row.expected.asked_at_most);
    CHECK(world.Waited() >= row.expected.waited);
    if (asked == row.expected.asked) CHECK(world.Waited() == row.expected.waited);
    CHECK(world.changes.size() == row.expected.told);
    CHECK(world.Metric(row.metric) >= row.at_least);
  }
}

}  // namespace
}  // namespace shm::kube
