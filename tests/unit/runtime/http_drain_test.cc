// How a server ends: what has begun is finished, and what has come is answered.
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/http_server.h"
#include "tests/unit/runtime/echo.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::runtime {
namespace {

using std::chrono::milliseconds;
using testing::Echo;
using testing::Peer;
using testing::StatusOf;

// A handler that waits until it is let go.
struct Gate {
  std::promise<void> entered;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  Response Pass() {
    entered.set_value();
    released.wait();
    return Response{200, "text/plain", "late\n", {}};
  }
};

TEST_CASE("A13: a drain lets the request in flight finish, closes idle peers and accepts no more") {
  Gate gate;
  Echo echo({}, [&gate](const Request& request) {
    return request.path == "/wait" ? gate.Pass() : Response{};
  });
  Peer idle(echo.server->port());
  idle.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.Receive("\r\n\r\n");
  Peer busy(echo.server->port());
  busy.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  gate.entered.get_future().wait();
  auto drained =
      std::async(std::launch::async, [&echo] { return echo.server->Drain(milliseconds(10'000)); });
  CHECK(idle.Receive().empty());
  gate.release.set_value();
  const std::string answer = busy.Receive();
  CHECK(answer.ends_with("late\n"));
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(drained.get());
  CHECK_FALSE(Peer(echo.server->port()).connected());
}

TEST_CASE("A13: a drain gives up at its deadline") {
  Gate gate;
  Echo echo({}, [&gate](const Request&) { return gate.Pass(); });
  Peer busy(echo.server->port());
  busy.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  gate.entered.get_future().wait();
  CHECK_FALSE(echo.server->Drain(milliseconds(20)));
  gate.release.set_value();
}

TEST_CASE("A13: before the drain responses may ask for the connection to be closed") {
  Echo echo;
  echo.server->CloseAfterResponses();
  Peer peer(echo.server->port());
  peer.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = peer.Receive();
  CHECK(StatusOf(answer) == "200");
  CHECK(answer.find("Connection: close") != std::string::npos);
}

// All threads of `echo` are in a handler, and what comes meanwhile stays where the kernel put it.
struct Standstill {
  Standstill() {
    HttpServerOptions options;
    options.threads = 1;
    echo.emplace(std::move(options), [this](const Request& request) {
      return request.path == "/wait" ? gate.Pass() : Response{200, "text/plain", "well\n", {}};
    });
  }
  std::uint16_t port() const { return echo->server->port(); }
  void Begin() {
    busy.emplace(port());
    busy->Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    gate.entered.get_future().wait();
  }
  // Begins a drain, which finds no thread, and goes on after it.
  void EndInDrain() {
    CHECK_FALSE(echo->server->Drain(milliseconds(20)));
    gate.release.set_value();
  }

  Gate gate;
  std::optional<Echo> echo;
  std::optional<Peer> busy;
};

TEST_CASE("A13: a request that came before the drain, but was not read yet, is answered") {
  Standstill standstill;
  Peer idle(standstill.port());
  idle.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.Receive("well\n");
  standstill.Begin();
  idle.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  standstill.EndInDrain();
  const std::string answer = idle.Receive();
  CHECK(answer.ends_with("well\n"));
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("A13: who connected before the drain, but was not accepted yet, is answered") {
  Standstill standstill;
  standstill.Begin();
  Peer early(standstill.port());
  early.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Peer slow(standstill.port());  // says what it wants when the drain is under way
  standstill.EndInDrain();
  CHECK(early.Receive().ends_with("well\n"));
  slow.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(slow.Receive().ends_with("well\n"));
  CHECK_FALSE(Peer(standstill.port()).connected());
}

}  // namespace
}  // namespace shm::runtime
