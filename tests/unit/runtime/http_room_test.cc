// Who finds room where connections, or bodies, are as many as they may be.
#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/http_server.h"
#include "tests/unit/runtime/echo.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::runtime {
namespace {

using std::chrono::milliseconds;
using testing::Echo;
using testing::Get;
using testing::Peer;
using testing::StatusOf;
using testing::WithLimits;

TEST_CASE("Bodies of all connections together have a cap") {
  HttpLimits limits;
  limits.all_bodies_bytes = 60'000;
  limits.small_body_bytes = 0;
  Echo echo(WithLimits(limits));
  Peer peer(echo.server->port());
  peer.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" +
            std::string(60'000, 'x'));
  CHECK(StatusOf(peer.Receive()) == "503");
  CHECK(echo.count(Rejection::kOverloaded) == 1);
  // What it held is given back.
  Peer next(echo.server->port());
  next.Send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 40000\r\n\r\n" +
            std::string(40'000, 'x'));
  CHECK(StatusOf(next.Receive()) == "200");
}

TEST_CASE("A small body finds room though large ones took all") {
  HttpLimits limits;
  limits.all_bodies_bytes = 70'000;
  limits.small_body_bytes = 10'000;
  Echo echo(WithLimits(limits));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
  const auto large = [&] {
    Peer peer(echo.server->port());
    peer.Send(head + "60000\r\n\r\n" + std::string(60'000, 'x'));
    return StatusOf(peer.Receive());
  };
  // Each begins and stalls: one of them finds room, the first unless the other body was faster.
  std::vector<std::unique_ptr<Peer>> hoard;
  do {
    hoard.push_back(std::make_unique<Peer>(echo.server->port()));
    hoard.back()->Send(head + "70000\r\n\r\n" + std::string(60'000, 'x'));
  } while (large() != "503" && hoard.size() < 1'000);
  REQUIRE(hoard.size() < 1'000);
  Peer small(echo.server->port());
  small.Send(head + "10000\r\n\r\n" + std::string(10'000, 'x'));
  CHECK(StatusOf(small.Receive()) == "200");
}

TEST_CASE("Bodies that one network leaves unfinished do not keep out those of another") {
  constexpr std::uint32_t kHoarder = 0x7f000002;  // 127.0.0.2
  HttpLimits limits;
  limits.all_bodies_bytes = 80'000;
  limits.small_body_bytes = 0;
  Echo echo(WithLimits(limits));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
  const auto large = [&](std::uint32_t source) {
    Peer peer(echo.server->port(), source);
    peer.Send(head + "20000\r\n\r\n" + std::string(20'000, 'x'));
    return StatusOf(peer.Receive());
  };
  // Each begins 45,000 bytes and stalls: one of them finds room.
  std::vector<std::unique_ptr<Peer>> hoard;
  do {
    hoard.push_back(std::make_unique<Peer>(echo.server->port(), kHoarder));
    hoard.back()->Send(head + "50000\r\n\r\n" + std::string(45'000, 'x'));
  } while (large(kHoarder) != "503" && hoard.size() < 1'000);
  REQUIRE(hoard.size() < 1'000);
  CHECK(large(INADDR_LOOPBACK) == "200");
}

TEST_CASE("At the connection cap the longest idle peer that was never served makes room") {
  HttpLimits limits;
  limits.connections = 3;
  limits.grace = milliseconds(0);
  Echo echo(WithLimits(limits));
  Peer served(echo.server->port());
  served.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(StatusOf(served.Receive("GET /  0\n")) == "200");
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<Peer>(echo.server->port()));
  CHECK(silent.front()->Receive().empty());
  CHECK(StatusOf(Get(echo.server->port())) == "200");
  served.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(StatusOf(served.Receive("GET /  0\n")) == "200");
  CHECK(echo.count(Rejection::kEvicted) >= 1);
}

// An API server connects anew in the midst of it all.
TEST_CASE("At the connection cap a peer that hoards places pays for the newcomers of others") {
  constexpr std::uint32_t kHoarder = 0x7f000002;  // 127.0.0.2
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  HttpLimits limits;
  limits.connections = 32;
  limits.grace = milliseconds(0);
  Echo echo(WithLimits(limits));
  std::vector<std::unique_ptr<Peer>> hoard;
  for (int i = 0; i < 32; ++i) {
    hoard.push_back(std::make_unique<Peer>(echo.server->port(), kHoarder));
    hoard.back()->Send(get);
    CHECK(StatusOf(hoard.back()->Receive("GET /  0\n")) == "200");
  }
  Peer good(echo.server->port());
  for (int i = 0; i < 50; ++i) {
    hoard.push_back(std::make_unique<Peer>(echo.server->port(), kHoarder));
  }
  CHECK(hoard[32]->Receive().empty());
  good.Send(get);
  CHECK(StatusOf(good.Receive("GET /  0\n")) == "200");
}

TEST_CASE("More peers than there are places, all at once, are all served") {
  HttpLimits limits;
  limits.connections = 4;
  limits.grace = milliseconds(60'000);  // no peer takes so long
  Echo echo(WithLimits(limits));
  std::vector<std::future<std::string>> peers;
  for (int i = 0; i < 40; ++i) {
    peers.push_back(
        std::async(std::launch::async, [&] { return StatusOf(Get(echo.server->port())); }));
  }
  for (auto& peer : peers) CHECK(peer.get() == "200");
  CHECK(echo.count(Rejection::kEvicted) == 0);
}

TEST_CASE("A peer that does not take its answers keeps its place for a moment only") {
  HttpLimits limits;
  constexpr std::size_t kMuch = 16'000'000;  // more than sockets take
  limits.connections = 2;
  limits.write = milliseconds(600'000);
  limits.grace = milliseconds(0);
  Echo echo(WithLimits(limits), [](const Request& request) {
    return Response{200, "text/plain", std::string(request.path == "/much" ? kMuch : 1, 'x'), {}};
  });
  std::vector<std::unique_ptr<Peer>> deaf;
  for (int i = 0; i < 2; ++i) {
    deaf.push_back(std::make_unique<Peer>(echo.server->port()));
    deaf.back()->Send("GET /much HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  while (echo.server->requests_in_flight() < 2) std::this_thread::yield();
  CHECK(StatusOf(Get(echo.server->port())) == "200");
  CHECK(std::min(deaf[0]->Receive().size(), deaf[1]->Receive().size()) < kMuch);
}

}  // namespace
}  // namespace shm::runtime
