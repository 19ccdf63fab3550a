#include "kube/proxy_tunnel.h"

#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <thread>

#include "kube/http_transport.h"
#include "tests/support/socket_server.h"
#include "tests/unit/kube/connect_proxy.h"
#include "tests/unit/kube/tls_server.h"

namespace shm::kube {
namespace {

using namespace std::chrono_literals;
using testing::Connection;
using testing::ConnectProxy;
using testing::MakeCa;
using testing::MakeCert;
using testing::Pair;
using testing::SocketServer;
using testing::TlsPeer;

constexpr char kBasic[] = "Basic bWU6c0BjcmV0";  // me:s@cret

// The next request, which is longer than a record perhaps; empty at the end.
std::string NextRequest(TlsPeer& peer) {
  std::string request;
  std::size_t wanted = std::string::npos;
  while (request.size() < wanted) {
    const std::string bytes = peer.Read();
    if (bytes.empty()) return {};
    request += bytes;
    const std::size_t end = request.find("\r\n\r\n");
    if (wanted != std::string::npos || end == std::string::npos) continue;
    const std::size_t length = request.find("Content-Length:");
    wanted = end + 4 + (length > end ? 0 : std::stoul(request.substr(length + 15)));
  }
  return request;
}

// An API server at api.test that answers everything with `answer`, and keeps its connections.
class ApiServer {
 public:
  explicit ApiServer(std::string answer = testing::Reply(200, "{}"))
      : ca_(MakeCa()),
        pair_(MakeCert(ca_, "DNS:api.test")),
        answer_(std::move(answer)),
        server_([this](Connection& connection) { Serve(connection); }) {}

  ClusterConfig Config(const std::string& proxy_url) const {
    ClusterConfig config;
    config.host = "api.test";  // which no resolver knows
    config.port = server_.port();
    config.ca_pem = ca_.cert_pem;
    config.token = "token";
    const auto proxy = ParseProxyUrl(proxy_url, true);
    REQUIRE(proxy.ok());
    config.proxy = *proxy;
    return config;
  }
  const Pair& ca() const { return ca_; }
  int port() const { return server_.port(); }
  int connections() const { return server_.connections(); }
  std::vector<std::string> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }

 private:
  void Serve(Connection& connection) {
    TlsPeer peer(connection.fd(), pair_);
    if (!peer.ok() || peer.sni() != "api.test") return;
    for (std::string request; !(request = NextRequest(peer)).empty();) {
      {
        MutexLock lock(mutex_);
        requests_.push_back(request);
      }
      if (!peer.Write(answer_)) return;
    }
  }

  const Pair ca_;
  const Pair pair_;
  const std::string answer_;
  mutable Mutex mutex_;
  std::vector<std::string> requests_ SHM_GUARDED_BY(mutex_);
  SocketServer server_;
};

std::unique_ptr<Transport> Through(const ClusterConfig& config) {
  auto made = MakeHttpTransport(config);
  REQUIRE(made.ok());
  return std::move(made).value();
}

HttpRequest Get() {
  HttpRequest request;
  request.path = "/";
  return request;
}

std::string Url(int port, const std::string& rest = {}) {
  return "http://" + rest + "127.0.0.1:" + std::to_string(port);
}

TEST_CASE("Requests go through one CONNECT, large ones too, over plain proxies and TLS ones") {
  const bool tls = GENERATE(false, true);
  const std::string large(3'000'000, 'x');
  ApiServer api(testing::Reply(200, large));
  ConnectProxy::Options options;
  options.authorization = kBasic;
  if (tls) options.tls = MakeCert(api.ca(), "IP:127.0.0.1");
  ConnectProxy proxy(options);
  const std::string scheme = tls ? "https" : "http";
  const auto transport =
      Through(api.Config(scheme + "://me:s%40cret@127.0.0.1:" + std::to_string(proxy.port())));
  HttpRequest post = Get();
  post.method = "POST";
  post.content_type = "application/json";
  post.body = large;
  for (int i = 0; i < 3; ++i) {
    const SendResult result = transport->Send(post, 20s, {});
    INFO(result.message);
    REQUIRE(result.response.status == 200);
    REQUIRE(result.response.body == large);
  }
  const std::string target = "api.test:" + std::to_string(api.port());
  const auto asked = proxy.requests();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == "CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                        "\r\nUser-Agent: shm-operator/" SHM_VERSION "\r\nProxy-Authorization: " +
                        kBasic + "\r\n\r\n");
  const auto seen = api.requests();
  REQUIRE(seen.size() == 3);
  for (const std::string& request : seen) {
    CHECK(request.find("POST / HTTP/1.1\r\n") == 0);
    CHECK(request.find("\r\nHost:" + target + "\r\n") != std::string::npos);
    CHECK(request.find("\r\nAuthorization:Bearer token\r\n") != std::string::npos);
    CHECK(request.find("Proxy-") == std::string::npos);
    CHECK(request.ends_with(large));
  }
}

TEST_CASE("A stream comes through a proxy line by line, and a cancel ends it at once") {
  ApiServer api(testing::ChunkedHead() + testing::Chunk("one\n"));
  ConnectProxy proxy({});
  const auto transport = Through(api.Config(Url(proxy.port())));
  std::stop_source stop;
  std::vector<std::string> lines;
  const StreamResult result = transport->Open(
      Get(), 30s,
      [&](std::string_view line) {
        lines.emplace_back(line);
        stop.request_stop();
        return true;
      },
      stop.get_token());
  CHECK(lines == std::vector<std::string>{"one"});
  CHECK(result.failure == TransportFailure::kCancelled);
}

TEST_CASE("What a proxy answers instead of a tunnel is told, without credentials") {
  ApiServer api;
  struct Row {
    const char* answer;
    const char* message;  // after the proxy's name
  };
  const Row rows[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n",
       " refuses the user or password of its URL: 407 Proxy Authentication Required"},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever",
       " does not connect to api.test:PORT: 403 Forbidden"},
      {"HTTP/1.0 503 \x01\x02\r\n\r\n", " does not connect to api.test:PORT: 503 ??"},
      {"HTTP/1.1 204\r\n\r\n", " does not connect to api.test:PORT: 204"},
      {"SSH-2.0-OpenSSH\r\n\r\n", " does not speak HTTP/1"},
      {"HTTP/1.1 OK\r\n\r\n", " does not speak HTTP/1"},
  };
  for (const Row& row : rows) {
    INFO(row.answer);
    ConnectProxy::Options options;
    options.answer = row.answer;
    ConnectProxy proxy(options);
    const SendResult result =
        Through(api.Config(Url(proxy.port(), "me:s%40cret@")))->Send(Get(), 10s, {});
    CHECK(result.failure == TransportFailure::kUnreachable);
    std::string expected = row.message;
    if (const auto at = expected.find("PORT"); at != std::string::npos) {
      expected.replace(at, 4, std::to_string(api.port()));
    }
    CHECK(result.message == "the proxy " + Url(proxy.port()) + expected);
  }
  CHECK(api.requests().empty());
}

TEST_CASE("A proxy that wants credentials says so, and once it has them it leads on") {
  ApiServer api;
  ConnectProxy::Options options;
  options.authorization = kBasic;
  ConnectProxy proxy(options);
  const std::string name = "the proxy " + Url(proxy.port());
  const SendResult none = Through(api.Config(Url(proxy.port())))->Send(Get(), 10s, {});
  CHECK(none.message == name +
                            " wants a user and password in its URL: "
                            "407 Proxy Authentication Required");
  const SendResult wrong = Through(api.Config(Url(proxy.port(), "me:no@")))->Send(Get(), 10s, {});
  CHECK(wrong.message == name +
                             " refuses the user or password of its URL: "
                             "407 Proxy Authentication Required");
  const SendResult good =
      Through(api.Config(Url(proxy.port(), "me:s%40cret@")))->Send(Get(), 10s, {});
  CHECK(good.response.status == 200);
}

TEST_CASE("An endless answer to CONNECT is no answer") {
  SocketServer endless([](Connection& connection) {
    connection.Read();
    while (connection.Write("HTTP/1.1 200 OK\r\nX: " + std::string(8000, 'x') + "\r\n")) {
    }
  });
  ApiServer api;
  const SendResult result = Through(api.Config(Url(endless.port())))->Send(Get(), 10s, {});
  CHECK(result.failure == TransportFailure::kUnreachable);
  CHECK(result.message.find("ended its answer") != std::string::npos);
}

TEST_CASE("A dead proxy: refused, closed, silent until the deadline, and cancelled") {
  ApiServer api;
  int dead = 0;
  {
    SocketServer gone([](Connection&) {});
    dead = gone.port();
  }
  const SendResult refused = Through(api.Config(Url(dead)))->Send(Get(), 10s, {});
  CHECK(refused.failure == TransportFailure::kUnreachable);
  CHECK(refused.message ==
        "through the proxy " + Url(dead) + ": Failed to connect to any resolved endpoint");

  SocketServer closes([](Connection& connection) { connection.Read(); });
  const SendResult closed = Through(api.Config(Url(closes.port())))->Send(Get(), 10s, {});
  CHECK(closed.failure == TransportFailure::kUnreachable);
  CHECK(closed.message == "the proxy " + Url(closes.port()) +
                              ", or the API server behind it, ended the connection before it was "
                              "secure");

  std::promise<void> asked;
  std::atomic<bool> once{false};
  SocketServer silent([&](Connection& connection) {
    connection.Read();
    if (once.exchange(true)) asked.set_value();
    connection.WaitForClose();
  });
  const auto transport = Through(api.Config(Url(silent.port())));
  const SendResult late = transport->Send(Get(), 100ms, {});
  CHECK(late.failure == TransportFailure::kTimeout);
  CHECK(late.message ==
        "through the proxy " + Url(silent.port()) + ": no complete answer before the deadline");
  std::stop_source stop;
  std::thread canceller([&] {
    asked.get_future().wait();
    stop.request_stop();
  });
  const SendResult cancelled = transport->Send(Get(), 30s, stop.get_token());
  canceller.join();
  CHECK(cancelled.failure == TransportFailure::kCancelled);
}

TEST_CASE("A TLS proxy's certificate is checked against its own name and the cluster's CA") {
  ApiServer api;
  const Pair other = MakeCa();
  struct Row {
    const Pair* signer;
    const char* san;
    const char* refusal;
  };
  for (const Row& row : {Row{&other, "IP:127.0.0.1", "unable to get local issuer certificate"},
                         Row{&api.ca(), "DNS:api.test", "IP address mismatch"}}) {
    ConnectProxy::Options options;
    options.tls = MakeCert(*row.signer, row.san);
    ConnectProxy proxy(options);
    const std::string url = "https://127.0.0.1:" + std::to_string(proxy.port());
    const SendResult result = Through(api.Config(url))->Send(Get(), 10s, {});
    CHECK(result.failure == TransportFailure::kUnreachable);
    CHECK(result.message == "the certificate of the proxy " + url + " was refused: " + row.refusal);
    CHECK(proxy.requests().empty());
  }
}

TEST_CASE("The API server's certificate is checked through a proxy as without one") {
  ApiServer api;
  ConnectProxy proxy({});
  ClusterConfig config = api.Config(Url(proxy.port()));
  config.ca_pem = MakeCa().cert_pem;
  const SendResult result = Through(config)->Send(Get(), 10s, {});
  CHECK(result.failure == TransportFailure::kTls);
  CHECK(result.message ==
        "the server's certificate was refused: unable to get local issuer certificate");
}

TEST_CASE("A proxy by name is found behind an address that refuses, and leads to IPv6 servers") {
  ApiServer api;
  ConnectProxy proxy({});  // on 127.0.0.1 alone, where localhost may be ::1 first
  ClusterConfig config = api.Config("http://localhost:" + std::to_string(proxy.port()));
  config.host = "fd00::1";
  config.tls_server_name = "api.test";
  const SendResult result = Through(config)->Send(Get(), 10s, {});
  INFO(result.message);
  CHECK(result.response.status == 200);
  REQUIRE(proxy.requests().size() == 1);
  CHECK(proxy.requests()[0].find("CONNECT [fd00::1]:" + std::to_string(api.port()) +
                                 " HTTP/1.1\r\n") == 0);
}

TEST_CASE("A server without TLS is asked for through a proxy by its whole address") {
  std::string seen;
  auto proxy = std::make_unique<SocketServer>([&seen](Connection& connection) {
    seen = connection.Read();
    connection.Write(testing::Reply(200, "{}"));
  });
  ClusterConfig config;
  config.tls = false;
  config.host = "api.test";
  config.port = 8001;
  config.proxy = *ParseProxyUrl(Url(proxy->port(), "me:s%40cret@"), false);
  HttpRequest request = Get();
  request.path = "/api?x=1";
  const SendResult result = Through(config)->Send(request, 10s, {});
  proxy.reset();
  INFO(seen);
  CHECK(result.response.status == 200);
  CHECK(seen.find("GET http://api.test:8001/api?x=1 HTTP/1.1\r\n") == 0);
  CHECK(seen.find(std::string("\r\nProxy-Authorization:") + kBasic + "\r\n") != std::string::npos);
}

}  // namespace
}  // namespace shm::kube
