// HTTP requests to one API server, without a trace of the library that sends them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace shm::kube {

struct HttpRequest {
  std::string method = "GET";
  std::string path{};  // begins with '/', percent-encoded, query included
  std::string content_type{};
  std::string body{};
};

struct HttpResponse {
  int status = 0;
  std::string body{};
  std::optional<std::chrono::seconds> retry_after;  // header Retry-After, where it is a number
};

// Why there is no response. Nothing is known then about what the server did.
enum class TransportFailure {
  kNone,
  kUnreachable,  // no connection, or it broke
  kTls,          // the server's certificate was refused, or ours was
  kTimeout,      // the deadline passed
  kCancelled,    // `stop` was requested
  kTooLarge,     // the response, or a line of it, exceeds its cap
};

struct SendResult {
  TransportFailure failure = TransportFailure::kNone;
  std::string message{};  // of the failure, for a person
  HttpResponse response;  // where failure is kNone, whatever its status
};

// How a stream ended.
struct StreamResult {
  // kNone: the server ended it in order. kTimeout: our deadline, which is the sign of a connection
  // that is dead without an error (trap W3).
  TransportFailure failure = TransportFailure::kNone;
  std::string message{};
  // Status other than 200: the whole response, and no line was delivered.
  // Status 0: the connection failed before any response.
  HttpResponse response;
  // The bytes after the last newline, which were dropped, were not empty.
  bool truncated = false;
  bool ended_by_consumer = false;
};

// One line without its newline, valid during the call. False ends the stream.
using LineConsumer = std::function<bool(std::string_view line)>;

// Thread-safe. Calls block the calling thread, and return promptly when `stop` is requested.
// A write may reach the server twice (a reused connection that the server was about to close), so
// callers send only idempotent writes.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual SendResult Send(const HttpRequest& request, std::chrono::milliseconds timeout,
                          const std::stop_token& stop) = 0;

  // Hands each line to `consumer` on the calling thread. While it runs no more is read from the
  // connection than one buffer: a slow consumer slows the server, not this process's memory.
  // `timeout` bounds the whole stream, from its beginning. It is read again after each line, so
  // that `consumer` may change it: a streamed list must end sooner than the watch that follows.
  virtual StreamResult Open(const HttpRequest& request, const std::chrono::milliseconds& timeout,
                            const LineConsumer& consumer, const std::stop_token& stop) = 0;
};

}  // namespace shm::kube
