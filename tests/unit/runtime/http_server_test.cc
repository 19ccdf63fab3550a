#include "runtime/http_server.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <new>
#include <stdexcept>
#include <thread>

#include "tests/unit/runtime/echo.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::runtime {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using testing::Echo;
using testing::Get;
using testing::Peer;
using testing::StatusOf;
using testing::WithLimits;

TEST_CASE("A request reaches the handler with its parts and the answer comes back") {
  Echo echo;
  const std::string answer = Get(echo.server->port(), "/a/b?timeout=5s");
  CHECK(StatusOf(answer) == "200");
  CHECK(answer.ends_with("GET /a/b timeout=5s 0\n"));
}

TEST_CASE("HEAD is answered with the length of the body and no body") {
  Echo echo;
  Peer peer(echo.server->port());
  peer.Send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.Receive();
  CHECK(answer.find("Content-Length: 10\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("What HTTP/1.1 does not allow is answered with a reason, and the next peer is served") {
  struct Row {
    const char* what;
    std::string sent;
    const char* status;
    Rejection reason;
  };
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  const Row rows[] = {
      {"chunk of size -1", chunked + "-1\r\nx\r\n", "400", Rejection::kMalformed},
      {"chunk of size 2^64", chunked + "10000000000000000\r\nx\r\n", "400", Rejection::kMalformed},
      {"chunk longer than said", chunked + "1\r\nxyz\r\n0\r\n\r\n", "400", Rejection::kMalformed},
      {"a NUL in a chunk's extension",
       chunked + "1;a=\"" + std::string(1, '\0') + "\"\r\nx\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"a bare CR in a chunk's extension", chunked + "1;a=\"\r\"\r\nx\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"Content-Length that is no number", post + "Content-Length: -1\r\n\r\n", "400",
       Rejection::kMalformed},
      {"two Content-Lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400",
       Rejection::kMalformed},
      {"Content-Length, then chunked",
       post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"chunked, then Content-Length",
       post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"one Content-Length twice", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "400",
       Rejection::kMalformed},
      {"a list of Content-Lengths", post + "Content-Length: 2, 2\r\n\r\nab", "400",
       Rejection::kMalformed},
      {"Content-Length, then chunked in a continued line",
       post + "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"lines that end with a bare LF", "GET / HTTP/1.1\nHost: a\n\n", "400",
       Rejection::kMalformed},
      {"a bare LF that hides a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400",
       Rejection::kMalformed},
      {"a blank before the colon", post + "Content-Length : 2\r\n\r\nab", "400",
       Rejection::kMalformed},
      {"a trailer that frames anew", chunked + "0\r\nContent-Length: 5\r\n\r\n", "400",
       Rejection::kMalformed},
      {"a coding that is not chunked", post + "Transfer-Encoding: gzip\r\n\r\n", "400",
       Rejection::kMalformed},
      {"a coding before chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400",
       Rejection::kMalformed},
      {"garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n"s, "400",
       Rejection::kMalformed},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", Rejection::kMalformed},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", "400", Rejection::kMalformed},
      {"absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400",
       Rejection::kMalformed},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405", Rejection::kMethod},
      {"a word of its own", "SHM / HTTP/1.1\r\nHost: a\r\n\r\n", "405", Rejection::kMethod},
      {"an unknown expectation", post + "Expect: tea\r\nContent-Length: 1\r\n\r\n", "417",
       Rejection::kExpectation},
      {"Content-Length above the cap", post + "Content-Length: 9000000\r\n\r\n", "413",
       Rejection::kBodyTooLarge},
      {"Content-Length of 2^63", post + "Content-Length: 9223372036854775808\r\n\r\n", "413",
       Rejection::kBodyTooLarge},
      {"endless header line", "GET / HTTP/1.1\r\nA: " + std::string(20'000, 'a'), "431",
       Rejection::kHeaderTooLarge},
      {"request line and fields, each within the cap",
       "GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nHost: a\r\nA: " + std::string(9'000, 'a') +
           "\r\n\r\n",
       "431", Rejection::kHeaderTooLarge},
      {"endless target", "GET /" + std::string(20'000, 'a'), "431", Rejection::kHeaderTooLarge},
  };
  Echo echo;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const int before = echo.count(row.reason);
    Peer peer(echo.server->port());
    peer.Send(row.sent);
    const std::string answer = peer.Receive();
    CHECK(StatusOf(answer) == row.status);
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(echo.count(row.reason) == before + 1);
    CHECK(StatusOf(Get(echo.server->port())) == "200");
  }
}

TEST_CASE("A chunked body is counted as it comes and cut off at the cap") {
  HttpLimits limits;
  limits.body_bytes = 100'000;
  Echo echo(WithLimits(limits));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string piece = "3E8\r\n" + std::string(1'000, 'x') + "\r\n";
  for (const auto& [pieces, status] : {std::pair{100, "200"}, {101, "413"}, {2'000, "413"}}) {
    CAPTURE(pieces);
    Peer peer(echo.server->port());
    peer.Send(head);
    for (int i = 0; i < pieces && peer.Send(piece); ++i) continue;
    peer.Send("0\r\n\r\n");
    peer.EndSending();
    CHECK(StatusOf(peer.Receive()) == status);
  }
}

// Whether it is safe is for TSan to say.
TEST_CASE("Connections and requests may be counted while a server starts") {
  const auto server = MakeHttpServer();
  std::atomic<bool> started{false};
  std::size_t most = 0;
  std::thread counting([&] {
    while (!started) most = std::max(most, server->connections() + server->requests_in_flight());
  });
  HttpServerOptions options;
  options.address = "127.0.0.1";
  const Result<void> result =
      server->Start(std::move(options), [](const Request&) { return Response{}; });
  started = true;
  counting.join();
  CHECK(result.ok());
  CHECK(most == 0);
}

TEST_CASE("Each phase has its time") {
  struct Row {
    const char* what;
    std::string sent;
    const char* status;  // empty: closed without a word
  };
  const Row rows[] = {
      {"a connection that says nothing", "", ""},
      {"half a header", "GET / HTTP/1.1\r\nHo", "408"},
      {"half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", "408"},
      {"half a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
       "408"},
  };
  HttpLimits limits;
  limits.header = limits.body = milliseconds(60);
  Echo echo(WithLimits(limits));
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Peer peer(echo.server->port());
    peer.Send(row.sent);
    CHECK(StatusOf(peer.Receive()) == row.status);
  }
  CHECK(echo.count(Rejection::kTimeout) == 3);
}

TEST_CASE("A served connection may rest for its idle time, then it is closed") {
  HttpLimits limits;
  limits.idle = milliseconds(60);
  Echo echo(WithLimits(limits));
  Peer peer(echo.server->port());
  peer.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = peer.Receive();
  CHECK(StatusOf(answer) == "200");
  CHECK(answer.ends_with("GET /  0\n"));
}

TEST_CASE("A connection is kept alive, and pipelined requests are served in order") {
  Echo echo;
  Peer peer(echo.server->port());
  for (int i = 0; i < 3; ++i) {
    peer.Send("POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    CHECK(peer.Receive("POST /kept  2\n").find("200 OK") != std::string::npos);
  }
  peer.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
      "GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answers = peer.Receive();
  const auto one = answers.find("GET /1  0\n");
  const auto two = answers.find("POST /2  1\n");
  const auto three = answers.find("GET /3  0\n");
  CHECK(one < two);
  CHECK(two < three);
  CHECK(three != std::string::npos);
}

TEST_CASE("Expect: 100-continue is answered before the body comes") {
  Echo echo;
  Peer peer(echo.server->port());
  peer.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "Content-Length: 3\r\n\r\n");
  CHECK(peer.Receive("\r\n\r\n").starts_with("HTTP/1.1 100 Continue"));
  peer.Send("abc");
  CHECK(peer.Receive().ends_with("POST /  3\n"));
}

TEST_CASE("A handler that throws is answered with 500 and the server goes on") {
  Echo echo({}, [](const Request& request) -> Response {
    if (request.path == "/throw") throw std::runtime_error("on purpose");
    if (request.path == "/odd") throw 7;
    return {};
  });
  for (const char* target : {"/throw", "/odd"}) {
    CHECK(StatusOf(Get(echo.server->port(), target)) == "500");
  }
  CHECK(StatusOf(Get(echo.server->port())) == "200");
  CHECK(echo.count(Rejection::kHandlerFailed) == 2);
}

TEST_CASE("What counts rejections may fail without an end of the process") {
  HttpServerOptions options;
  options.on_reject = [](Rejection) { throw std::bad_alloc(); };
  const auto server = MakeHttpServer();
  REQUIRE(server
              ->Start(options,
                      [](const Request& request) -> Response {
                        if (request.path == "/throw") throw std::bad_alloc();
                        return {};
                      })
              .ok());
  CHECK(StatusOf(Get(server->port(), "/throw")) == "500");
  CHECK(StatusOf(Get(server->port(), "no-path")) == "400");
  CHECK(StatusOf(Get(server->port())) == "200");
}

TEST_CASE("Several servers share a process, and one may stop without the others") {
  Echo one;
  Echo two;
  CHECK(one.server->port() != two.server->port());
  one.server->Stop();
  CHECK(StatusOf(Get(two.server->port())) == "200");
  CHECK_FALSE(Peer(one.server->port()).connected());
}

TEST_CASE("An address that cannot be listened on is an error that names it") {
  Echo taken;
  struct Row {
    const char* address;
    std::uint16_t port;
  };
  for (const Row& row : {Row{"localhost", 0}, {"192.0.2.1", 0}, {"::", taken.server->port()}}) {
    CAPTURE(row.address);
    HttpServerOptions options;
    options.address = row.address;
    options.port = row.port;
    const Result<void> started =
        MakeHttpServer()->Start(options, [](const Request&) { return Response{}; });
    REQUIRE_FALSE(started.ok());
    CHECK(started.error().message.find(row.address) != std::string::npos);
  }
}

}  // namespace
}  // namespace shm::runtime
