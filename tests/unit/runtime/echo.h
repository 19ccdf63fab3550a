// A server whose handler says what it got, and questions to it.
#pragma once

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "runtime/http_server.h"
#include "tests/unit/runtime/http_client.h"

namespace shm::runtime::testing {

// Echoes what it got, on a port of its own, and counts what was turned away.
struct Echo {
  explicit Echo(HttpServerOptions options = {}, Handler handler = nullptr) {
    options.on_reject = [this](Rejection reason) {
      ++rejections[static_cast<std::size_t>(reason)];
    };
    if (!handler) {
      handler = [](const Request& request) {
        return Response{200,
                        "text/plain",
                        std::string(request.method) + " " + std::string(request.path) + " " +
                            std::string(request.query) + " " + std::to_string(request.body.size()) +
                            "\n",
                        {}};
      };
    }
    REQUIRE(server->Start(std::move(options), std::move(handler)).ok());
    REQUIRE(server->port() != 0);
  }
  int count(Rejection reason) const { return rejections[static_cast<std::size_t>(reason)]; }

  std::array<std::atomic<int>, kRejectionCount> rejections{};
  std::unique_ptr<HttpServer> server = MakeHttpServer();
};

inline HttpServerOptions WithLimits(HttpLimits limits) {
  HttpServerOptions options;
  options.limits = limits;
  return options;
}

inline std::string StatusOf(const std::string& answer) {
  return answer.size() < 12 ? answer : answer.substr(9, 3);
}

inline std::string Get(std::uint16_t port, const std::string& target = "/") {
  Peer peer(port);
  peer.Send("GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  return peer.Receive();
}

}  // namespace shm::runtime::testing
