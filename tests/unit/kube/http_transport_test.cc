#include "kube/http_transport.h"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "kube/client.h"
#include "tests/support/socket_server.h"

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using testing::Chunk;
using testing::ChunkedHead;
using testing::Connection;
using testing::kLastChunk;
using testing::Reply;
using testing::SocketServer;

std::unique_ptr<Transport> To(int port, HttpTransportOptions options = {},
                              const std::string& host = "127.0.0.1") {
  ClusterConfig config;
  config.tls = false;
  config.host = host;
  config.port = port;
  auto made = MakeHttpTransport(config, std::move(options));
  REQUIRE(made.ok());
  return std::move(made).value();
}

HttpRequest Get(const std::string& path) {
  HttpRequest request;
  request.path = path;
  return request;
}

// Serves every request of a connection with `answer`.
SocketServer::Handler Always(const std::string& answer) {
  return [answer](Connection& connection) {
    while (!connection.Read().empty()) {
      if (!connection.Write(answer)) return;
    }
  };
}

std::string CutShort(std::string reply) {
  reply.pop_back();
  return reply;
}

double MsSince(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
      .count();
}

TEST_CASE("A request carries what it was given and says who we are") {
  std::string seen;
  auto server = std::make_unique<SocketServer>([&seen](Connection& connection) {
    seen = connection.Read();
    connection.Write(Reply(201, R"({"a":1})"));
  });
  HttpRequest request;
  request.method = "PATCH";
  request.path = "/apis/apps/v1/x?fieldManager=a%2Fb&force=true";
  request.content_type = "application/apply-patch+yaml";
  request.body = R"({"kind":"X"})";
  const SendResult result = To(server->port())->Send(request, 5s, {});
  server.reset();  // joins the thread that wrote `seen`
  CHECK(result.failure == TransportFailure::kNone);
  CHECK(result.response.status == 201);
  CHECK(result.response.body == R"({"a":1})");
  INFO(seen);
  CHECK(seen.find("PATCH /apis/apps/v1/x?fieldManager=a%2Fb&force=true HTTP/1.1\r\n") == 0);
  CHECK(seen.find("\r\nUser-Agent:shm-operator/" SHM_VERSION "\r\n") != std::string::npos);
  CHECK(seen.find("\r\nContent-Type:application/apply-patch+yaml\r\n") != std::string::npos);
  CHECK(seen.find("\r\n\r\n{\"kind\":\"X\"}") != std::string::npos);
}

TEST_CASE("Requests one after the other share a connection") {
  SocketServer server(Always(Reply(200, "{}")));
  const auto transport = To(server.port());
  for (int i = 0; i < 5; ++i) {
    CHECK(transport->Send(Get("/"), 5s, {}).response.status == 200);
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("A kept connection that the server closed meanwhile is made anew") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(Reply(200, "{}"));
  });
  const auto transport = To(server.port());
  for (int i = 0; i < 3; ++i) {
    CHECK(transport->Send(Get("/"), 5s, {}).response.status == 200);
  }
}

TEST_CASE("W5: Retry-After of a 429 is told") {
  SocketServer server(Always(Reply(429, "{}", "Retry-After: 7\r\n")));
  const auto transport = To(server.port());
  Client client(*transport);
  const auto result = client.GetPath("/api");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().reason == ErrorReason::kTooManyRequests);
  CHECK(result.error().retry_after == 7s);
}

TEST_CASE("Redirects are not followed: they would carry the token along") {
  SocketServer server(Always(Reply(302, "", "Location: http://127.0.0.1:1/\r\n")));
  CHECK(To(server.port())->Send(Get("/"), 5s, {}).response.status == 302);
}

TEST_CASE("A server that answers nothing, or never ends, meets our deadline") {
  for (const std::string& said : {std::string(), std::string("HTTP/1.1 200 OK\r\n"),
                                  CutShort(Reply(200, "12345")), ChunkedHead() + Chunk("ab")}) {
    SocketServer server([said](Connection& connection) {
      connection.Read();
      connection.Write(said);
      connection.WaitForClose();
    });
    const auto transport = To(server.port());
    const auto began = std::chrono::steady_clock::now();
    const SendResult result = transport->Send(Get("/"), 100ms, {});
    INFO("after '" << said << "'");
    CHECK(result.failure == TransportFailure::kTimeout);
    CHECK(MsSince(began) < 1000);
  }
}

TEST_CASE("A server that drips meets the deadline too") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead());
    while (connection.Write(Chunk("x"))) std::this_thread::yield();
  });
  const auto transport = To(server.port());
  const auto began = std::chrono::steady_clock::now();
  CHECK(transport->Send(Get("/"), 100ms, {}).failure == TransportFailure::kTimeout);
  CHECK(MsSince(began) < 1000);
}

TEST_CASE("What cannot be reached, or is no HTTP, is an error in words") {
  int closed_port = 0;
  {
    SocketServer gone(Always(""));
    closed_port = gone.port();
  }
  CHECK(To(closed_port)->Send(Get("/"), 5s, {}).failure == TransportFailure::kUnreachable);
  for (const char* said : {"", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2", "\r\n\r\n"}) {
    SocketServer server([said](Connection& connection) {
      connection.Read();
      connection.Write(said);
    });
    const SendResult result = To(server.port())->Send(Get("/"), 5s, {});
    INFO("'" << said << "'");
    CHECK(result.failure == TransportFailure::kUnreachable);
    CHECK_FALSE(result.message.empty());
  }
}

TEST_CASE("A chunk of size -1 does no harm") {
  SocketServer server(Always(ChunkedHead() + "-1\r\nabc\r\n" + kLastChunk));
  const SendResult result = To(server.port())->Send(Get("/"), 5s, {});
  CHECK(result.failure == TransportFailure::kUnreachable);
}

TEST_CASE("A body cut short is an error, not a short body") {
  for (const std::string& said : {CutShort(Reply(200, "0123456789")), ChunkedHead() + Chunk("0123"),
                                  ChunkedHead() + "a\r\n0123"}) {
    SocketServer server([said](Connection& connection) {
      connection.Read();
      connection.Write(said);
    });
    INFO(said);
    CHECK(To(server.port())->Send(Get("/"), 5s, {}).failure == TransportFailure::kUnreachable);
  }
}

TEST_CASE("An answer above its cap is refused") {
  HttpTransportOptions options;
  options.max_response_bytes = 1000;
  SocketServer server(Always(Reply(200, std::string(1001, 'x'))));
  CHECK(To(server.port(), options)->Send(Get("/"), 5s, {}).failure == TransportFailure::kTooLarge);
}

TEST_CASE("A stop request ends a call and a stream promptly, one made before at once") {
  SocketServer server([](Connection& connection) {
    const std::string request = connection.Read();
    if (request.find("/watch") != std::string::npos) {
      connection.Write(ChunkedHead() + Chunk("line\n"));
    }
    connection.WaitForClose();
  });
  const auto transport = To(server.port());
  const LineConsumer ignore = [](std::string_view) { return true; };
  for (int i = 0; i < 20; ++i) {
    std::stop_source stop;
    std::jthread stopper([&stop] { stop.request_stop(); });
    const auto began = std::chrono::steady_clock::now();
    if (i % 2 == 0) {
      CHECK(transport->Send(Get("/"), 60s, stop.get_token()).failure ==
            TransportFailure::kCancelled);
    } else {
      CHECK(transport->Open(Get("/watch"), 60s, ignore, stop.get_token()).failure ==
            TransportFailure::kCancelled);
    }
    CHECK(MsSince(began) < 1000);
  }
}

TEST_CASE("Lines of a stream come as they were written, however they were cut") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead() + Chunk("one\ntw") + Chunk("o\r\n\n") + Chunk("thr") +
                     Chunk("ee") + Chunk("\nrest") + kLastChunk);
  });
  std::vector<std::string> lines;
  const StreamResult result = To(server.port())
                                  ->Open(Get("/"), 5s,
                                         [&lines](std::string_view line) {
                                           lines.emplace_back(line);
                                           return true;
                                         },
                                         {});
  CHECK(result.failure == TransportFailure::kNone);
  CHECK(result.response.status == 200);
  CHECK(lines == std::vector<std::string>{"one", "two", "three"});
  CHECK(result.truncated);
}

TEST_CASE("A stream refused with a status delivers the status's body and no line") {
  SocketServer server(Always(ChunkedHead(410) + Chunk("{\"code\":410}\n") + kLastChunk));
  int lines = 0;
  const StreamResult result =
      To(server.port())->Open(Get("/"), 5s, [&lines](std::string_view) { return ++lines > 0; }, {});
  CHECK(result.response.status == 410);
  CHECK(result.response.body == "{\"code\":410}\n");
  CHECK(lines == 0);
}

TEST_CASE("W3: a stream whose server has gone silent ends at our deadline") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead() + Chunk("one\n"));
    connection.WaitForClose();
  });
  int lines = 0;
  const StreamResult result =
      To(server.port())
          ->Open(Get("/"), 150ms, [&lines](std::string_view) { return ++lines > 0; }, {});
  CHECK(result.failure == TransportFailure::kTimeout);
  CHECK(lines == 1);
}

TEST_CASE("The consumer of a stream may bring its deadline forward, or put it off") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead() + Chunk("one\n"));
    connection.Write(Chunk("two\n"));
    connection.WaitForClose();
  });
  const auto transport = To(server.port());
  std::chrono::milliseconds timeout = 60s;
  StreamResult result = transport->Open(Get("/"), timeout,
                                        [&timeout](std::string_view) {
                                          timeout = 50ms;
                                          return true;
                                        },
                                        {});
  CHECK(result.failure == TransportFailure::kTimeout);

  timeout = 100ms;
  std::vector<std::string> lines;
  const auto began = std::chrono::steady_clock::now();
  result = transport->Open(Get("/"), timeout,
                           [&](std::string_view line) {
                             lines.emplace_back(line);
                             timeout = 30s;
                             // The first deadline passes while the line is worked on.
                             while (MsSince(began) < 150) std::this_thread::yield();
                             return lines.size() < 2;
                           },
                           {});
  CHECK(result.ended_by_consumer);
  CHECK(lines == std::vector<std::string>{"one", "two"});
}

TEST_CASE("A consumer that has enough ends the stream, and a line without end is refused") {
  SocketServer server([](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead());
    const std::string line = Chunk(std::string(100, 'x') + "\n");
    const std::string endless = Chunk(std::string(4096, 'y'));
    connection.Write(line);
    while (connection.Write(endless)) {
    }
  });
  HttpTransportOptions options;
  options.max_line_bytes = 10'000;
  const auto transport = To(server.port(), options);
  int lines = 0;
  StreamResult result =
      transport->Open(Get("/"), 5s, [&lines](std::string_view) { return ++lines < 1; }, {});
  CHECK(result.ended_by_consumer);
  CHECK(result.failure == TransportFailure::kNone);
  CHECK(lines == 1);
  result = transport->Open(Get("/"), 5s, [](std::string_view) { return true; }, {});
  CHECK(result.failure == TransportFailure::kTooLarge);
  CHECK_FALSE(result.ended_by_consumer);
}

TEST_CASE("A slow consumer slows the server down: what is read ahead is bounded") {
  constexpr std::size_t kAll = 256u * 1024 * 1024;
  std::promise<std::size_t> taken;
  SocketServer server([&taken](Connection& connection) {
    connection.Read();
    connection.Write(ChunkedHead());
    const std::string chunk = Chunk(std::string(65'535, 'x') + "\n");
    connection.SetSendTimeout(200ms);  // nobody takes anything for so long: the peer has stopped
    std::size_t written = 0;
    while (written < kAll && connection.Write(chunk)) written += 65'536;
    taken.set_value(written);
  });
  std::size_t most = 0;
  const StreamResult result = To(server.port())
                                  ->Open(Get("/"), 30s,
                                         [&](std::string_view) {
                                           most = taken.get_future().get();
                                           return false;
                                         },
                                         {});
  CHECK(result.ended_by_consumer);
  CHECK(most > 0);
  CHECK(most < 32u * 1024 * 1024);
}

TEST_CASE("Each request is reported once, with its status or failure") {
  std::vector<RequestSample> samples;
  HttpTransportOptions options;
  options.on_request = [&samples](const RequestSample& sample) { samples.push_back(sample); };
  SocketServer server(Always(Reply(404, "{}")));
  const auto transport = To(server.port(), options);
  transport->Send(Get("/"), 5s, {});
  transport->Open(Get("/"), 5s, [](std::string_view) { return true; }, {});
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].status == 404);
  CHECK(samples[0].method == "GET");
  CHECK(samples[0].host == "127.0.0.1:" + std::to_string(server.port()));
  CHECK_FALSE(samples[0].stream);
  CHECK(samples[1].stream);
}

TEST_CASE("A stream is reported when it begins, not when it ends") {
  std::vector<RequestSample> samples;
  HttpTransportOptions options;
  options.on_request = [&samples](const RequestSample& sample) { samples.push_back(sample); };
  SocketServer server(Always(ChunkedHead() + Chunk("one\n") + kLastChunk));
  std::size_t seen = 0;
  To(server.port(), options)
      ->Open(Get("/"), 5s,
             [&](std::string_view) {
               seen = samples.size();
               return true;
             },
             {});
  CHECK(seen == 1);
  REQUIRE(samples.size() == 1);
  CHECK(samples[0].status == 200);
}

TEST_CASE("An IPv6 address is reached, and named with brackets in the Host header") {
  std::string seen;
  auto server = std::make_unique<SocketServer>(
      [&seen](Connection& connection) {
        seen = connection.Read();
        connection.Write(Reply(200, "{}"));
      },
      /*ipv6=*/true);
  if (server->port() == 0) {
    WARN("no ::1 on this machine");
    return;
  }
  const int port = server->port();
  const SendResult result = To(port, {}, "::1")->Send(Get("/"), 5s, {});
  server.reset();
  INFO(result.message);
  if (result.message == "Error resolving address") {
    WARN("getaddrinfo refuses ::1 where the machine has no other IPv6 address");
    return;
  }
  CHECK(result.response.status == 200);
  CHECK(seen.find("\r\nHost:[::1]:" + std::to_string(port) + "\r\n") != std::string::npos);
}

}  // namespace
}  // namespace shm::kube
