// One connection of the server: HTTP/1.1 over TCP or TLS, with a deadline in every phase. Private
// to http_server.cc.
//
// The phases follow each other as callbacks on the connection's strand. Deadlines are not timers:
// the listener sweeps over all connections some times a second, which costs a request nothing.
#pragma once

// Beast asserts of a body's last chunk what a peer that sends byte by byte makes untrue, and
// harmless without the assertion: no peer may end a build that has assertions.
#define BOOST_DISABLE_ASSERTS

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/http_session.h"

namespace shm::runtime::internal {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = net::ip::tcp;
using boost::system::error_code;

using PlainStream = tcp::socket;
using TlsStream = beast::ssl_stream<tcp::socket>;

struct RejectionAnswer {
  unsigned status;
  std::string_view words;
};

// What the peer is told. Only for reasons that are answered at all.
inline RejectionAnswer AnswerTo(Rejection reason) {
  switch (reason) {
    case Rejection::kTimeout:
      return {408, "the request did not arrive in time"};
    case Rejection::kMethod:
      return {405, "only GET, HEAD and POST are served here"};
    case Rejection::kBodyTooLarge:
      return {413, "the body exceeds the limit of this server"};
    case Rejection::kExpectation:
      return {417, "only 100-continue can be expected"};
    case Rejection::kHeaderTooLarge:
      return {431, "the header exceeds the limit of this server"};
    case Rejection::kHandlerFailed:
      return {500, "the request could not be handled"};
    case Rejection::kOverloaded:
      return {503, "too many bodies are being read; try again"};
    default:
      return {400, "this is not a request that HTTP/1.1 allows"};
  }
}

// A callback that goes on with what the connection does already. Where its operation is done at
// once, the thread that began it takes it next: Asio would else wake another one for it.
template <typename Callback>
struct GoesOn {
  Callback callback;
  template <typename... Args>
  void operator()(Args&&... args) {
    callback(std::forward<Args>(args)...);
  }
  friend bool asio_handler_is_continuation(GoesOn*) { return true; }
};
template <typename Callback>
GoesOn(Callback) -> GoesOn<Callback>;

template <typename Stream>
class Connection final : public Session {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  template <typename... Args>
  explicit Connection(Hub& hub, Args&&... args)
      : hub_(hub), stream_(std::forward<Args>(args)...), buffer_(kBufferLimit) {}
  ~Connection() override {
    FinishRequest();
    hub_.Remove(this);
  }

  void Start() override {
    Enter(Phase::kHandshake, limits().handshake);
    net::post(stream_.get_executor(), [self = Self()] { self->Handshake(); });
  }

  const Request& request() const override { return request_; }
  void Respond(Response response) override;

  void EnforceDeadline() override {
    net::post(stream_.get_executor(), [self = Self()] { self->OnDeadline(); });
  }
  void LeaveWhenIdle() override {
    net::post(stream_.get_executor(), [self = Self()] { self->OnLeave(); });
  }
  void Evict() override {
    net::post(stream_.get_executor(), [self = Self()] { self->OnEvict(); });
  }
  void Abort() override {
    net::post(stream_.get_executor(), [self = Self()] { self->Close(); });
  }

 private:
  // What a cancelled read is to be followed by.
  enum class AfterCancel { kClose, kRejectTimeout, kFinish };
  // A header of 16 KiB and one read.
  static constexpr std::size_t kBufferLimit = 32 * 1024;
  static constexpr std::size_t kFirstRead = 8 * 1024;
  static constexpr std::chrono::milliseconds kLinger{1'000};

  std::shared_ptr<Connection> Self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }
  const HttpLimits& limits() const { return hub_.options.limits; }
  tcp::socket& socket() { return beast::get_lowest_layer(stream_); }

  void Handshake();
  void OnHandshake(error_code error);
  void AwaitRequest();
  void ReadHeader();
  void ParseHeader();
  void OnHeader(error_code error);
  std::optional<Rejection> CheckHeader() const;
  void SendContinue();
  std::size_t ParseBuffered(error_code& error);
  void ReadMore(void (Connection::*next)());
  void ReadBody();
  bool ChargeBody();
  void Handle();
  void SetBody(std::string body);
  void Write(bool keep_alive);
  void OnWritten(error_code error, bool keep_alive);

  void OnDeadline();
  void OnLeave();
  void OnEvict();
  bool Pending();
  bool Spare();
  void FinishUnlessAsked();
  void CancelRead(AfterCancel then);
  void OnReadFailed(error_code error);
  void Reject(Rejection reason);
  void FinishRequest();
  void Finish();  // graceful: close_notify, then Linger
  void Linger();
  void Discard();
  void Close();

  Hub& hub_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  Request request_;
  Clock::time_point first_byte_;
  std::size_t header_bytes_ = 0;  // parsed of the header at hand
  std::size_t charged_ = 0;       // body bytes accounted for at the hub
  bool in_flight_ = false;
  bool rejected_ = false;
  bool spared_ = false;
  bool leaving_ = false;
  AfterCancel after_cancel_ = AfterCancel::kClose;
};

}  // namespace shm::runtime::internal

#include "runtime/http_connection_end.h"
#include "runtime/http_connection_request.h"
