#include "kube/reflector.h"

#include "tests/unit/kube/reflector_world.h"

namespace shm::kube {
namespace {

using namespace testing;
using World = ReflectorWorld;

TEST_CASE("A list in pages and a watch keep the store equal to the server") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x")}, "10", "next"));
  world.transport.Answer(200, List({Object("b", "2", "y")}, "10"));
  world.transport.Stream({Event("ADDED", Object("c", "11", "z")),
                          Event("MODIFIED", Object("a", "12", "xx")),
                          Event("DELETED", Object("b", "13", "y")),
                          Event("BOOKMARK", {{"metadata", {{"resourceVersion", "20"}}}})});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "xx"}, {"c", "z"}});
  CHECK(world.changes == std::vector<std::string>{"+a", "+b", "+c", "~a", "-b"});
  REQUIRE(world.transport.requests.size() == 4);
  const std::string base = "/apis/shm-operator.dev/v1alpha1/inferenceservices";
  CHECK(world.transport.requests[0].path == base + "?limit=500");
  CHECK(world.transport.requests[1].path == base + "?limit=500&continue=next");
  CHECK(world.transport.requests[2].path.find("&resourceVersion=10&") != std::string::npos);
  CHECK(world.transport.requests[2].path.find("allowWatchBookmarks=true") != std::string::npos);
  CHECK(world.transport.requests[3].path.find("&resourceVersion=20&") != std::string::npos);
  CHECK(world.clock.sleeps.empty());
  CHECK(world.reflector->Stats().events == 4);
}

TEST_CASE("W3: the client's deadline is five seconds after the server's, which is spread") {
  World world;
  world.options.watch_timeout = std::chrono::seconds{100};
  world.transport.Answer(200, List({}, "10"));
  world.transport.Stream({});
  world.Run();
  const std::string& path = world.transport.requests[1].path;
  const auto at = path.find("timeoutSeconds=");
  REQUIRE(at != std::string::npos);
  const int seconds = std::stoi(path.substr(at + 15));
  CHECK(seconds >= 100);
  CHECK(seconds <= 200);
  CHECK(world.transport.timeouts[1] == std::chrono::seconds(seconds + 5));
}

TEST_CASE("Selectors go into lists and watches, encoded") {
  World world;
  world.options.scope.namespace_name = "ns";
  world.options.label_selector = "a in (b,c)";
  world.options.field_selector = "metadata.name=x";
  world.transport.Answer(200, List({}, "10"));
  world.transport.Stream({});
  world.Run();
  for (int i : {0, 1}) {
    const std::string& path = world.transport.requests[static_cast<std::size_t>(i)].path;
    CHECK(path.find("/namespaces/ns/inferenceservices?labelSelector=a%20in%20%28b%2Cc%29"
                    "&fieldSelector=metadata.name%3Dx") != std::string::npos);
  }
}

// A fault strikes the first watch after the list of a and b; meanwhile the server's truth becomes
// a=xx, c=z. Whatever it was, the store ends equal to that.
TEST_CASE("After every fault the store equals the server's truth") {
  struct Row {
    const char* name;
    std::vector<std::string> lines;
    StreamResult result;
    int lists;          // that the recovery takes
    std::size_t waits;  // back-offs
  };
  const std::vector<std::string> none;
  const std::string expired = Status(410, "Expired");
  const Row rows[] = {
      {"W1: 410 as status", none, Refused(410, expired), 1, 0},
      {"W1: 410 as an ERROR event",
       {Event("ERROR", Json::parse(expired))},
       ScriptedTransport::Ok(),
       1,
       0},
      {"W1: Gone by an old server", none, Refused(410, Status(410, "Gone")), 1, 0},
      {"a server restarted with older data", none,
       Refused(504, Status(504, "Timeout", "ResourceVersionTooLarge")), 1, 0},
      {"garbage frame", {"<html>"}, ScriptedTransport::Ok(), 0, 1},
      {"a frame without an object", {R"({"type":"ADDED"})"}, ScriptedTransport::Ok(), 0, 1},
      {"truncated frame", none, Broken(TransportFailure::kNone, true), 0, 1},
      {"connection reset", none, Broken(TransportFailure::kUnreachable, true), 0, 1},
      {"W3: half-open socket", none, Broken(TransportFailure::kTimeout), 0, 1},
      {"429", none, Refused(429, Status(429, "TooManyRequests")), 0, 1},
      {"500 that is no Status", none, Refused(500, "oops"), 0, 1},
      {"ERROR event of another kind",
       {Event("ERROR", Json::parse(Status(500, "InternalError")))},
       ScriptedTransport::Ok(),
       0,
       1},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    World world;
    world.transport.Answer(200, List({Object("a", "1", "x"), Object("b", "2", "y")}, "10"));
    world.transport.Stream(row.lines, row.result);
    if (row.lists > 0) {
      world.transport.Answer(200, List({Object("a", "12", "xx"), Object("c", "11", "z")}, "13"));
      world.transport.Stream({});
    } else {
      world.transport.Stream({Event("ADDED", Object("c", "11", "z")),
                              Event("MODIFIED", Object("a", "12", "xx")),
                              Event("DELETED", Object("b", "13", "y"))});
    }
    world.Run();
    CHECK(world.Held() == Truth{{"a", "xx"}, {"c", "z"}});
    CHECK(world.clock.sleeps.size() == row.waits);
    const ReflectorStats stats = world.reflector->Stats();
    CHECK(stats.watch_failures + stats.garbage == 1);
    CHECK(stats.lists == 1u + static_cast<unsigned>(row.lists));
  }
}

TEST_CASE("W1: a relist asks for the last version seen, and for any when that is refused") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x")}, "10"));
  world.transport.Stream({}, Refused(410, Status(410, "Expired")));
  world.transport.Answer(410, Status(410, "Expired"));
  world.transport.Answer(200, List({Object("b", "2", "y")}, "99"));
  world.transport.Stream({});
  world.Run();
  CHECK(world.Held() == Truth{{"b", "y"}});
  const std::string match = "&resourceVersion=10&resourceVersionMatch=NotOlderThan";
  CHECK(world.transport.requests[2].path.find(match) != std::string::npos);
  CHECK(world.transport.requests[3].path.find("resourceVersion") == std::string::npos);
  CHECK(world.clock.sleeps.empty());
}

TEST_CASE("W2: deletes missed during a gap are told from the difference of the relist") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x"), Object("b", "2", "y")}, "10"));
  world.transport.Stream({}, Refused(410, Status(410, "Expired")));
  world.transport.Answer(200, List({Object("a", "1", "x")}, "20"));
  world.transport.Stream({});
  world.Run();
  CHECK(world.changes == std::vector<std::string>{"+a", "+b", "-b"});
}

TEST_CASE("Nothing counts as deleted while a list is incomplete") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x"), Object("b", "2", "y")}, "10"));
  world.transport.Stream({}, Refused(410, Status(410, "Expired")));
  world.transport.Answer(200, List({Object("a", "1", "x")}, "20", "next"));
  world.transport.Fail(TransportFailure::kUnreachable);
  world.Run();
  CHECK(world.Held() == Truth{{"a", "x"}, {"b", "y"}});
  CHECK(world.store.HasSynced());
}

TEST_CASE("Duplicate events change nothing twice") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x")}, "10"));
  const std::string modified = Event("MODIFIED", Object("a", "12", "xx"));
  const std::string deleted = Event("DELETED", Object("a", "13", "xx"));
  world.transport.Stream({modified, modified, deleted, deleted});
  world.Run();
  CHECK(world.changes == std::vector<std::string>{"+a", "~a", "-a"});
}

TEST_CASE("Versions that go back after a relist are taken as they come (W8)") {
  World world;
  world.transport.Answer(200, List({Object("a", "500", "new")}, "500"));
  world.transport.Stream({}, Refused(504, Status(504, "Timeout", "ResourceVersionTooLarge")));
  world.transport.Answer(200, List({Object("a", "7", "old")}, "8"));
  world.transport.Stream({});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "old"}});
  CHECK(world.transport.requests[3].path.find("&resourceVersion=8&") != std::string::npos);
}

TEST_CASE("W4, W5: failed lists back off, and wait as long as the server says") {
  World world;
  world.transport.Answer(500, "");
  world.transport.Answer(429, Status(429, "TooManyRequests"), std::chrono::seconds{17});
  world.transport.Fail(TransportFailure::kTimeout);
  world.transport.Answer(200, "not a list");
  world.transport.Answer(200, List({Object("a", "1", "x")}, "10"));
  world.transport.Stream({});
  world.Run();
  CHECK(world.Held() == Truth{{"a", "x"}});
  CHECK(world.clock.sleeps == std::vector<std::int64_t>{800, 17'000, 3200, 6400});
  CHECK(world.reflector->Stats().list_failures >= 4);
}

TEST_CASE("A watch that ends within a second is not begun again at once") {
  World world;
  world.transport.Answer(200, List({}, "10"));
  world.transport.Stream({}, ScriptedTransport::Ok(), std::chrono::milliseconds{3});
  world.transport.Stream({});
  world.Run();
  CHECK(world.clock.sleeps.size() == 1);
}

TEST_CASE("W4: liveness follows progress, not the thread") {
  World world;
  world.transport.Answer(200, List({}, "10"));
  for (int i = 0; i < 3; ++i) world.transport.Stream({}, Broken(TransportFailure::kTimeout));
  world.Run();
  CHECK(world.clock.Now() - world.reflector->Stats().progress > std::chrono::seconds{900});
  CHECK_FALSE(world.reflector->Alive());
  CHECK(world.reflector->Alive(std::chrono::seconds{100'000}));
}

TEST_CASE("An object that cannot be parsed is not kept, nor is its last good version") {
  World world;
  world.transport.Answer(200, List({Object("a", "1", "x"), Object("b", "2", "bad")}, "10"));
  world.transport.Stream({Event("MODIFIED", Object("a", "11", "bad"))});
  world.Run();
  CHECK(world.Held().empty());
  CHECK(world.changes == std::vector<std::string>{"+a", "-a"});
}

TEST_CASE("JSON nested a million deep is garbage, not a crash") {
  World world;
  world.transport.Answer(200, List({}, "10"));
  world.transport.Stream({std::string(1'000'000, '[')});
  world.Run();
  CHECK(world.reflector->Stats().garbage == 1);
}

}  // namespace
}  // namespace shm::kube
