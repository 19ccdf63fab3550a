// Lists that come as the beginning of a watch (KEP-3157).
#include <functional>
#include <thread>

#include "kube/http_transport.h"
#include "kube/reflector.h"
#include "tests/support/socket_server.h"
#include "tests/unit/kube/reflector_world.h"

namespace shm::kube {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct World : ReflectorWorld {
  World() : ReflectorWorld(/*stream_lists=*/true) {}

  const std::string& Path(std::size_t request) const {
    REQUIRE(transport.requests.size() > request);
    return transport.requests[request].path;
  }
  bool Says(std::size_t request, const std::string& text) const {
    return Path(request).find(text) != std::string::npos;
  }
};

const std::string kAddedA = Event("ADDED", Object("a", "1", "x"));
const std::string kAddedB = Event("ADDED", Object("b", "2", "y"));
const std::string kNewA = Event("ADDED", Object("a", "12", "xx"));
const std::string kNewC = Event("ADDED", Object("c", "11", "z"));

TEST_CASE("A streamed list and its watch are one request, and keep the store equal to the server") {
  World world;
  world.transport.Stream({kAddedB, kAddedA, Bookmark("9"), EndMark("10"), kNewC,
                          Event("MODIFIED", Object("a", "12", "xx")),
                          Event("DELETED", Object("b", "13", "y"))});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "xx"}, {"c", "z"}});
  CHECK(world.changes == std::vector<std::string>{"+a", "+b", "+c", "~a", "-b"});
  CHECK(world.Says(0,
                   "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true"
                   "&resourceVersionMatch=NotOlderThan&timeoutSeconds="));
  CHECK(world.Says(1, "&allowWatchBookmarks=true&resourceVersion=13&timeoutSeconds="));
  CHECK(world.clock.sleeps.empty());
  const ReflectorStats stats = world.reflector->Stats();
  CHECK(stats.synced);
  CHECK(stats.lists == 1);
  CHECK(stats.streamed_lists == 1);
  CHECK(stats.events == 7);
}

TEST_CASE("A streamed list has a deadline to its mark, and then the watch's own") {
  World world;
  world.options.stream_timeout = 7s;
  world.transport.Stream({kAddedA, EndMark("10")});
  world.Run();
  CHECK(world.transport.timeouts[0] == 7s);
  const std::string& path = world.Path(0);
  const int asked = std::stoi(path.substr(path.find("timeoutSeconds=") + 15));
  CHECK(world.transport.final_timeouts[0] == std::chrono::seconds(asked + 5));
}

// The store holds a and b as of version 10, whose watch has expired. The relist meets a fault;
// meanwhile the server's truth becomes a=xx, c=z.
TEST_CASE("After every fault of a streamed list the store equals the server's truth") {
  struct Row {
    const char* name;
    std::vector<std::string> lines;  // of the stream that fails
    StreamResult result;
    bool pages;         // what comes then: pages, else a stream
    std::size_t waits;  // back-offs
    std::uint64_t list_failures, refusals, garbage;
  };
  const std::vector<std::string> cut = {kNewC, Event("ADDED", Object("d", "9", "gone"))};
  const std::string expired = Status(410, "Expired");
  const std::string future = Status(504, "Timeout", "ResourceVersionTooLarge");
  const auto ok = ScriptedTransport::Ok();
  const auto timeout = TransportFailure::kTimeout;
  StreamResult unreachable;
  unreachable.failure = TransportFailure::kUnreachable;
  const Row rows[] = {
      {"422: no such feature", {}, Refused(422, Status(422, "Invalid")), true, 0, 0, 1, 0},
      {"400: no such query", {}, Refused(400, Status(400, "BadRequest")), true, 0, 0, 1, 0},
      {"refused by an ERROR event",
       {Event("ERROR", Json::parse(Status(422, "Invalid")))},
       ok,
       true,
       0,
       0,
       1,
       0},
      {"the mark never comes", cut, Broken(timeout), true, 0, 0, 1, 0},
      {"no answer comes",
       {},
       [] {
         StreamResult silent;
         silent.failure = TransportFailure::kTimeout;
         return silent;
       }(),
       false,
       1,
       1,
       0,
       0},
      {"cut before the mark", cut, Broken(TransportFailure::kUnreachable), false, 1, 1, 0, 0},
      {"cut within a line", cut, Broken(TransportFailure::kNone, true), false, 1, 1, 0, 0},
      {"ended in order before the mark", cut, ok, false, 1, 1, 0, 0},
      {"W1: 410 as status", {}, Refused(410, expired), false, 0, 1, 0, 0},
      {"W1: 410 in between", {kNewC, Event("ERROR", Json::parse(expired))}, ok, false, 0, 1, 0, 0},
      {"RV too large", {}, Refused(504, future), false, 0, 1, 0, 0},
      {"RV too large in between", {Event("ERROR", Json::parse(future))}, ok, false, 0, 1, 0, 0},
      {"RV too large, in words only",
       {},
       Refused(504, R"({"kind":"Status","code":504,"reason":"Timeout",)"
                    R"("message":"Too large resource version: 10, current: 4"})"),
       false,
       0,
       1,
       0,
       0},
      {"no connection", {}, unreachable, false, 1, 1, 0, 0},
      {"429", {}, Refused(429, Status(429, "TooManyRequests")), false, 1, 1, 0, 0},
      {"500 that is no Status", {}, Refused(500, "oops"), false, 1, 1, 0, 0},
      {"garbage", {kNewC, "<html>"}, ok, false, 1, 0, 0, 1},
      {"a mark without a version", {kNewC, EndMark("")}, ok, false, 1, 0, 0, 1},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    World world;
    world.transport.Stream({kAddedA, kAddedB, EndMark("10"), Bookmark("10")});
    world.transport.Stream({}, Refused(410, expired));
    world.transport.Stream(row.lines, row.result);
    if (row.pages) {
      world.transport.Answer(200, List({Object("a", "12", "xx"), Object("c", "11", "z")}, "13"));
      world.transport.Stream({});
    } else {
      world.transport.Stream({kNewA, kNewC, EndMark("13")});
    }
    world.Run();
    CHECK(world.Says(2, "&resourceVersion=10&resourceVersionMatch=NotOlderThan"));
    CHECK(world.Held() == Truth{{"a", "xx"}, {"c", "z"}});
    CHECK(world.changes == std::vector<std::string>{"+a", "+b", "~a", "+c", "-b"});
    CHECK(world.clock.sleeps.size() == row.waits);
    const ReflectorStats stats = world.reflector->Stats();
    CHECK(stats.lists == 2);
    CHECK(stats.streamed_lists == (row.pages ? 1 : 2));
    CHECK(stats.list_failures == row.list_failures);
    CHECK(stats.stream_refusals == row.refusals);
    CHECK(stats.garbage == row.garbage);
    CHECK(stats.watch_failures == 1);
  }
}

TEST_CASE("A server that refuses streamed lists is not asked for one again") {
  World world;
  world.transport.Stream({}, Refused(422, Status(422, "Invalid")));
  world.transport.Answer(200, List({Object("a", "1", "x")}, "10"));
  world.transport.Stream({}, Refused(410, Status(410, "Expired")));
  world.transport.Answer(200, List({Object("a", "1", "x")}, "20"));
  world.transport.Stream({});
  world.Run();
  CHECK(world.reflector->Stats().stream_refusals == 1);
  CHECK(world.reflector->Stats().lists == 2);
}

TEST_CASE("Nothing of a streamed list is shown before its mark") {
  World world;
  world.transport.Stream({kAddedA, kAddedB});
  world.Run();
  CHECK(world.Held().empty());
  CHECK(world.changes.empty());
  CHECK_FALSE(world.store.HasSynced());
  CHECK_FALSE(world.reflector->HasSynced());
}

TEST_CASE("Objects that come twice, change or go within a streamed list") {
  World world;
  world.transport.Stream(
      {kAddedA, kAddedB, kAddedA, kNewC, Event("MODIFIED", Object("b", "3", "bad")),
       Event("MODIFIED", Object("a", "4", "xx")), Event("DELETED", Object("c", "11", "z")),
       Event("DELETED", Object("d", "5", "never seen")), EndMark("10")});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "xx"}});
  CHECK(world.changes == std::vector<std::string>{"+a"});
}

TEST_CASE("W8: a server restarted with older data is believed, at its older versions") {
  World world;
  world.transport.Stream({Event("ADDED", Object("a", "500", "new")), EndMark("500")});
  world.transport.Stream({}, Refused(504, Status(504, "Timeout", "ResourceVersionTooLarge")));
  world.transport.Stream({Event("ADDED", Object("a", "7", "old")), EndMark("8")});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "old"}});
  CHECK_FALSE(world.Says(2, "resourceVersion="));
  CHECK(world.Says(3, "&resourceVersion=8&"));
}

// Says the same to every request, page or stream; marks end lists only.
struct Stubborn : Transport {
  SendResult Send(const HttpRequest&, std::chrono::milliseconds, const std::stop_token&) override {
    ++requests;
    SendResult result;
    result.failure = answer.failure;
    result.response = answer.response;
    return result;
  }
  StreamResult Open(const HttpRequest& request, const std::chrono::milliseconds&,
                    const LineConsumer& consumer, const std::stop_token&) override {
    ++requests;
    StreamResult result = answer;
    const bool list = request.path.find("sendInitialEvents") != std::string::npos;
    for (const std::string& line : lines) {
      if (!list && line == EndMark("9")) continue;
      if (!consumer(line)) {
        result.ended_by_consumer = true;
        break;
      }
    }
    return result;
  }
  StreamResult answer;
  std::vector<std::string> lines;
  int requests = 0;
};

TEST_CASE("W4: whatever a server keeps saying, it is asked ever more rarely") {
  struct Row {
    const char* name;
    StreamResult answer;
    std::vector<std::string> lines;
  };
  const std::string expired = Status(410, "Expired");
  const std::string future = Status(504, "Timeout", "ResourceVersionTooLarge");
  StreamResult unreachable;
  unreachable.failure = TransportFailure::kUnreachable;
  const Row rows[] = {
      {"W1: 410", Refused(410, expired), {}},
      {"W1: 410 within the list", ScriptedTransport::Ok(), {Event("ERROR", Json::parse(expired))}},
      {"410 after each list",
       ScriptedTransport::Ok(),
       {EndMark("9"), Event("ERROR", Json::parse(expired))}},
      {"RV too large", Refused(504, future), {}},
      {"RV too large after each list",
       ScriptedTransport::Ok(),
       {EndMark("9"), Event("ERROR", Json::parse(future))}},
      {"422", Refused(422, Status(422, "Invalid")), {}},
      {"429", Refused(429, Status(429, "TooManyRequests")), {}},
      {"403", Refused(403, Status(403, "Forbidden")), {}},
      {"unreachable", unreachable, {}},
      {"the mark never comes", Broken(TransportFailure::kTimeout), {kAddedA}},
      {"cut", Broken(TransportFailure::kUnreachable), {kAddedA}},
      {"cut after each list", Broken(TransportFailure::kUnreachable), {EndMark("9")}},
      {"garbage", ScriptedTransport::Ok(), {"<html>"}},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    World world;
    Stubborn server;
    server.answer = row.answer;
    server.lines = row.lines;
    std::stop_source stop;
    const auto began = world.clock.Now();
    world.clock.on_sleep = [&] {
      if (world.clock.Now() - began > 1h) stop.request_stop();
    };
    std::uint64_t told = 0;
    Reflector reflector(
        server, world.store, world.options,
        [&](const ReflectorEvent& event) {
          told += event.error.reason != ErrorReason::kUnknown || event.error.code != 0 ? 1 : 0;
          if (server.requests > 1000) stop.request_stop();
        },
        world.clock);
    reflector.Run(stop.get_token());
    CHECK(server.requests > 20);
    CHECK(server.requests < 300);
    CHECK(told > 20);
    CHECK(world.clock.sleeps.back() > 10 * world.clock.sleeps.front());
  }
}

TEST_CASE("A jump of the machine's date changes neither requests, nor waits, nor liveness") {
  using std::chrono::seconds;
  struct Seen {
    std::vector<std::int64_t> sleeps;
    std::size_t requests = 0;
    bool alive = false;
    Truth held;
    bool operator==(const Seen&) const = default;
  };
  const auto run = [](seconds jump) {
    World world;
    world.clock.on_sleep = [&world, jump] { world.clock.JumpWall(jump); };
    world.store.AddListener(
        [&world, jump](const auto&, const auto&, const auto&) { world.clock.JumpWall(-3 * jump); });
    world.transport.Stream({kAddedA}, Broken(TransportFailure::kUnreachable));
    world.transport.Stream({kAddedA, EndMark("10"), kNewC});
    world.transport.Stream({}, Broken(TransportFailure::kTimeout));
    world.transport.Stream({});
    world.Run();
    return Seen{world.clock.sleeps, world.transport.requests.size(), world.reflector->Alive(),
                world.Held()};
  };
  const Seen still = run(0s);
  CHECK(still.sleeps.size() == 2);
  CHECK(still.alive);
  CHECK(still.held == Truth{{"a", "x"}, {"c", "z"}});
  CHECK(run(24h * 365) == still);
  CHECK(run(-24h * 365) == still);
}

// Over a socket: the server answers the first request with `first`, the others as a server should
// that knows pages only.
void Serve(Connection& connection, const std::function<void(Connection&)>& stream,
           const std::function<void(Connection&)>& list) {
  for (;;) {
    const std::string request = connection.Read();
    if (request.empty()) return;
    if (request.find("sendInitialEvents") != std::string::npos) return stream(connection);
    if (request.find("watch=true") != std::string::npos) {
      connection.Write(ChunkedHead());
      return connection.WaitForClose();
    }
    list(connection);
  }
}

std::unique_ptr<Transport> To(int port) {
  ClusterConfig config;
  config.tls = false;
  config.host = "127.0.0.1";
  config.port = port;
  auto made = MakeHttpTransport(config);
  REQUIRE(made.ok());
  return std::move(made).value();
}

TEST_CASE("A stream over a socket that never ends its list, silent or busy, gives way to pages") {
  for (const bool busy : {false, true}) {
    SocketServer server([busy](Connection& connection) {
      Serve(
          connection,
          [busy](Connection& stream) {
            stream.Write(ChunkedHead() + Chunk(kAddedB + "\n"));
            while (busy && stream.Write(Chunk(Bookmark("9") + "\n"))) std::this_thread::yield();
            stream.WaitForClose();
          },
          [](Connection& list) { list.Write(Reply(200, List({Object("a", "1", "x")}, "10"))); });
    });
    const auto transport = To(server.port());
    ReflectorWorld world;
    world.options.stream_lists = true;
    world.options.stream_timeout = 100ms;
    Reflector reflector(*transport, world.store, world.options, {}, world.clock);
    reflector.Start();
    CHECK(world.store.WaitForSync(30s));
    CHECK(world.Held() == Truth{{"a", "x"}});
    reflector.Stop();
    CHECK(reflector.Stats().stream_refusals == 1);
  }
}

TEST_CASE("A page that comes byte by byte meets the deadline, and the next try is complete") {
  std::atomic<int> lists{0};
  SocketServer server([&lists](Connection& connection) {
    Serve(
        connection, [](Connection& stream) { stream.Write(Reply(422, Status(422, "Invalid"))); },
        [&lists](Connection& list) {
          const std::string page = List({Object("a", "1", "x")}, "10");
          if (++lists > 1) {
            list.Write(Reply(200, page));
            return;
          }
          list.Write(ChunkedHead() + Chunk(page.substr(0, page.size() / 2)));
          while (list.Write(Chunk(" "))) std::this_thread::yield();
        });
  });
  const auto transport = To(server.port());
  ReflectorWorld world(/*stream_lists=*/true);
  world.options.list_timeout = 100ms;
  Reflector reflector(*transport, world.store, world.options, {}, world.clock);
  reflector.Start();
  CHECK(world.store.WaitForSync(30s));
  reflector.Stop();
  CHECK(world.Held() == Truth{{"a", "x"}});
  CHECK(lists == 2);
  CHECK(reflector.Stats().list_failures == 1);
  CHECK(world.clock.sleeps.size() == 1);
}

}  // namespace
}  // namespace shm::kube
