// An HTTP/1.1 server that a hostile peer cannot take down or grow.
//
// cpprestsdk's http_listener on a transport of our own (runtime/http_transport.h): everything that
// a peer controls has a cap in bytes or in time, and a request that exceeds one is answered with a
// 4xx that says why. No type of cpprestsdk or Boost appears here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "runtime/tls.h"

namespace shm::runtime {

// Why a connection or a request was turned away. The names (RejectionName) are metric labels.
enum class Rejection {
  kMalformed,            // 400: not HTTP/1, bad chunk, Content-Length twice or beside chunked, ...
  kTimeout,              // 408: the header or the body did not come in time
  kMethod,               // 405: not GET, HEAD or POST
  kBodyTooLarge,         // 413
  kExpectation,          // 417: an Expect other than 100-continue
  kHeaderTooLarge,       // 431
  kHandlerFailed,        // 500: the handler threw
  kOverloaded,           // 503: the bodies being read at once exceed their common cap
  kHandshake,            // closed: TLS handshake failed or took too long
  kConnectionLimit,      // closed: no memory for one more
  kEvicted,              // closed: an idle connection made room for a new one
  kWriteTimeout,         // closed: the peer does not take its response
  kDescriptorsExhausted  // accepting pauses until descriptors are free
};
inline constexpr int kRejectionCount = static_cast<int>(Rejection::kDescriptorsExhausted) + 1;
std::string_view RejectionName(Rejection reason);

// Valid during the call of the handler only.
struct Request {
  std::string_view method;        // GET, HEAD or POST
  std::string_view path;          // as sent, begins with '/', no query
  std::string_view query;         // after '?', as sent
  std::string_view content_type;  // empty where the header is missing
  std::string_view body;
  std::chrono::steady_clock::time_point first_byte;  // when the request began to arrive
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Runs on a thread of the server, several at a time. One that throws is answered with 500.
using Handler = std::function<Response(const Request&)>;

struct HttpLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 8 * 1024 * 1024;  // one body, chunked or not
  // Those being read or handled at once, but for the first small_body_bytes of each: ordinary
  // requests find room whatever others hold. One network (runtime/http_eviction.h) may have three
  // quarters: bodies that it leaves unfinished do not keep out a large pod of the API server.
  std::size_t all_bodies_bytes = 12 * 1024 * 1024;
  std::size_t small_body_bytes = 32 * 1024;
  // A TLS connection costs up to 100 KiB, so this many cost 16 MiB; busy ones are never evicted,
  // and who is, is said in runtime/http_eviction.h.
  std::size_t connections = 160;
  // How long a connection is left in peace after it changed, where others wait for its place; a
  // tenth of it where it said nothing yet.
  std::chrono::milliseconds grace{100};
  std::chrono::milliseconds handshake{5'000};
  std::chrono::milliseconds header{5'000};  // also: how long a new connection may say nothing
  std::chrono::milliseconds body{10'000};
  // Above the 90 s after which Go clients, the API server among them, close idle connections: who
  // closes first never loses a request.
  std::chrono::milliseconds idle{120'000};
  std::chrono::milliseconds write{10'000};
};

struct HttpServerOptions {
  // IP literal, brackets allowed. "[::]" takes IPv4 too, and 0.0.0.0 where there is no IPv6.
  std::string address = "[::]";
  std::uint16_t port = 0;  // 0: the kernel chooses, port() says which
  int threads = 2;         // handlers that run at once
  HttpLimits limits;
  // Null: plain HTTP. Until it has a pair, peers wait in the backlog, as long as they like.
  std::shared_ptr<ServerTls> tls;
  std::function<void(Rejection)> on_reject;  // from any thread of the server; may be empty
};

// Thread-safe after Start; what counts may be asked before and meanwhile. The destructor stops.
class HttpServer {
 public:
  virtual ~HttpServer() = default;

  // Binds and serves; once for each object. An Error says which address could not be bound.
  virtual Result<void> Start(HttpServerOptions options, Handler handler) = 0;

  // The port that it listens on; 0 before Start.
  virtual std::uint16_t port() const = 0;

  // Goes on serving and accepting, but every response says `Connection: close` (trap A13).
  virtual void CloseAfterResponses() = 0;

  // Stops accepting, closes idle connections, lets requests in flight finish, and those that came
  // but were not read yet. True if all were done within the deadline. Call from a thread that is
  // not the server's.
  virtual bool Drain(std::chrono::milliseconds deadline) = 0;

  // Closes everything now. Idempotent.
  virtual void Stop() = 0;

  virtual std::size_t connections() const = 0;
  virtual std::size_t requests_in_flight() const = 0;
};

std::unique_ptr<HttpServer> MakeHttpServer();

}  // namespace shm::runtime
