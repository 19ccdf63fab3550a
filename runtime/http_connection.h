// One connection of the server: HTTP/1.1 over TCP or TLS, with a deadline in every phase. Private
// to http_server.cc.
//
// The phases follow each other as callbacks on the connection's strand. Deadlines are not timers:
// the listener sweeps over all connections some times a second, which costs a request nothing.
#pragma once

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
  // A header of 16 KiB and the largest single read of Beast.
  static constexpr std::size_t kBufferLimit = 96 * 1024;
  static constexpr std::size_t kFirstRead = 8 * 1024;
  static constexpr std::chrono::milliseconds kLinger{1'000};

  std::shared_ptr<Connection> Self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }
  const HttpLimits& limits() const { return hub_.options.limits; }
  tcp::socket& socket() { return beast::get_lowest_layer(stream_); }

  void Handshake();
  void AwaitRequest();
  void ReadHeader();
  void OnHeader(error_code error);
  std::optional<Rejection> CheckHeader() const;
  void SendContinue();
  void ReadBody();
  void OnBody(error_code error);
  void Handle();
  void Write(bool keep_alive);
  void OnWritten(error_code error, bool keep_alive);

  void OnDeadline();
  void OnLeave();
  void OnEvict();
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
  std::size_t charged_ = 0;  // body bytes accounted for at the hub
  bool in_flight_ = false;
  bool rejected_ = false;
  AfterCancel after_cancel_ = AfterCancel::kClose;
};

template <typename Stream>
void Connection<Stream>::Handshake() {
  if constexpr (kTls) {
    stream_.async_handshake(net::ssl::stream_base::server, [self = Self()](error_code error) {
      if (!error) return self->AwaitRequest();
      // A peer that connects and leaves, as probes do, is not worth a count.
      if (error != net::error::eof && error != net::ssl::error::stream_truncated) {
        self->hub_.Reject(Rejection::kHandshake);
      }
      self->Close();
    });
  } else {
    AwaitRequest();
  }
}

template <typename Stream>
void Connection<Stream>::AwaitRequest() {
  if (hub_.draining) return Finish();
  // A new connection that says nothing has the time of a header, one that was served may rest.
  Enter(Phase::kWaiting, parser_ ? limits().idle : limits().header);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
  parser_->body_limit(limits().body_bytes);
  if (buffer_.size() > 0) return ReadHeader();  // pipelined
  if (buffer_.capacity() > 4 * kFirstRead) buffer_.shrink_to_fit();
  stream_.async_read_some(buffer_.prepare(kFirstRead),
                          [self = Self()](error_code error, std::size_t bytes) {
                            if (error) return self->OnReadFailed(error);
                            self->buffer_.commit(bytes);
                            self->ReadHeader();
                          });
}

template <typename Stream>
void Connection<Stream>::ReadHeader() {
  Enter(Phase::kHeader, limits().header);
  first_byte_ = Clock::now();
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = Self()](error_code error, std::size_t) { self->OnHeader(error); });
}

template <typename Stream>
void Connection<Stream>::OnHeader(error_code error) {
  if (error == http::error::buffer_overflow) {
    return Reject(Rejection::kHeaderTooLarge);
  }
  if (error) return OnReadFailed(error);
  if (const std::optional<Rejection> reason = CheckHeader()) return Reject(*reason);
  Enter(Phase::kBody, limits().body);
  parser_->eager(true);
  if (parser_->is_done()) return Handle();
  if (!parser_->get()[http::field::expect].empty()) return SendContinue();
  ReadBody();
}

// What Beast lets through and we do not.
template <typename Stream>
std::optional<Rejection> Connection<Stream>::CheckHeader() const {
  const auto& header = parser_->get();
  if (header.version() == 11 && header.count(http::field::host) != 1) {
    return Rejection::kMalformed;
  }
  const auto coding = header.find(http::field::transfer_encoding);
  if (coding != header.end() &&
      (header.count(http::field::transfer_encoding) > 1 || header.version() != 11 ||
       !beast::iequals(coding->value(), "chunked") ||
       header.count(http::field::content_length) > 0)) {
    return Rejection::kMalformed;  // how requests are smuggled
  }
  if (header.target().empty() || header.target().front() != '/') return Rejection::kMalformed;
  if (header.method() != http::verb::get && header.method() != http::verb::head &&
      header.method() != http::verb::post) {
    return Rejection::kMethod;
  }
  const auto expect = header.find(http::field::expect);
  if (expect != header.end() && !beast::iequals(expect->value(), "100-continue")) {
    return Rejection::kExpectation;
  }
  return std::nullopt;
}

template <typename Stream>
void Connection<Stream>::SendContinue() {
  auto answer = std::make_shared<http::response<http::empty_body>>(http::status::continue_, 11);
  http::async_write(stream_, *answer, [self = Self(), answer](error_code error, std::size_t) {
    if (error) return self->Close();
    self->ReadBody();
  });
}

// Piece by piece, so that what all connections hold together can be counted as it comes.
template <typename Stream>
void Connection<Stream>::ReadBody() {
  http::async_read_some(stream_, buffer_, *parser_,
                        [self = Self()](error_code error, std::size_t) { self->OnBody(error); });
}

template <typename Stream>
void Connection<Stream>::OnBody(error_code error) {
  if (error) return OnReadFailed(error);
  const std::size_t held = parser_->get().body().size();
  if (held > charged_) {
    if (!hub_.Charge(held - charged_)) return Reject(Rejection::kOverloaded);
    charged_ = held;
  }
  if (parser_->is_done()) return Handle();
  ReadBody();
}

template <typename Stream>
void Connection<Stream>::Handle() {
  Enter(Phase::kHandling, std::chrono::hours(24));
  in_flight_ = true;
  ++hub_.in_flight;
  const auto& message = parser_->get();
  const auto view = [](auto text) { return std::string_view(text.data(), text.size()); };
  const std::string_view target = view(message.target());
  const std::size_t mark = target.find('?');
  request_ = Request{view(message.method_string()),
                     target.substr(0, mark),
                     mark == std::string_view::npos ? "" : target.substr(mark + 1),
                     view(message[http::field::content_type]),
                     message.body(),
                     first_byte_};
  hub_.dispatch(shared_from_this());
}

template <typename Stream>
void Connection<Stream>::Respond(Response response) {
  const bool keep_alive =
      parser_->get().keep_alive() && !hub_.draining && !hub_.close_after_responses;
  response_ = {};
  response_.version(11);
  response_.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) response_.insert(name, value);
  if (!response.content_type.empty()) {
    response_.set(http::field::content_type, response.content_type);
  }
  response_.content_length(response.body.size());
  if (parser_->get().method() != http::verb::head) response_.body() = std::move(response.body);
  Write(keep_alive);
}

template <typename Stream>
void Connection<Stream>::Write(bool keep_alive) {
  response_.keep_alive(keep_alive);
  Enter(Phase::kWriting, limits().write);
  http::async_write(stream_, response_, [self = Self(), keep_alive](error_code error, std::size_t) {
    self->OnWritten(error, keep_alive);
  });
}

template <typename Stream>
void Connection<Stream>::OnWritten(error_code error, bool keep_alive) {
  FinishRequest();
  if (error) return Close();
  MarkServed();
  if (!keep_alive) return Finish();
  AwaitRequest();
}

template <typename Stream>
void Connection<Stream>::FinishRequest() {
  hub_.Refund(std::exchange(charged_, 0));
  if (std::exchange(in_flight_, false)) --hub_.in_flight;
}

// Deadlines and departures come from another thread: what they find may have moved on.
template <typename Stream>
void Connection<Stream>::OnDeadline() {
  if (Clock::now() < deadline()) return;
  switch (phase()) {
    case Phase::kHandling:
      return;
    case Phase::kHeader:
    case Phase::kBody:
      return CancelRead(AfterCancel::kRejectTimeout);
    case Phase::kWaiting:
      return CancelRead(AfterCancel::kFinish);
    case Phase::kHandshake:
      hub_.Reject(Rejection::kHandshake);
      return Close();
    case Phase::kWriting:
      hub_.Reject(Rejection::kWriteTimeout);
      return Close();
    case Phase::kClosing:
      return Close();
  }
}

template <typename Stream>
void Connection<Stream>::OnLeave() {
  if (phase() == Phase::kWaiting) return CancelRead(AfterCancel::kFinish);
  if (phase() == Phase::kHandshake) Close();
}

template <typename Stream>
void Connection<Stream>::OnEvict() {
  if (phase() == Phase::kHandling || phase() == Phase::kWriting) return UnmarkEvicting();
  hub_.Reject(Rejection::kEvicted);
  Close();
}

template <typename Stream>
void Connection<Stream>::CancelRead(AfterCancel then) {
  after_cancel_ = then;
  Enter(phase(), kLinger);  // or else the next sweep would cancel what follows
  error_code ignored;
  socket().cancel(ignored);
}

template <typename Stream>
void Connection<Stream>::OnReadFailed(error_code error) {
  if (error == net::error::operation_aborted) {
    switch (after_cancel_) {
      case AfterCancel::kRejectTimeout:
        return Reject(Rejection::kTimeout);
      case AfterCancel::kFinish:
        return Finish();
      case AfterCancel::kClose:
        return Close();
    }
  }
  if (error == http::error::header_limit) return Reject(Rejection::kHeaderTooLarge);
  if (error == http::error::body_limit) return Reject(Rejection::kBodyTooLarge);
  const bool left = error == http::error::end_of_stream || error == http::error::partial_message;
  const bool spoke_http = error.category() == error_code(http::error::bad_method).category();
  if (spoke_http && !left) return Reject(Rejection::kMalformed);
  Close();
}

template <typename Stream>
void Connection<Stream>::Reject(Rejection reason) {
  hub_.Reject(reason);
  const RejectionAnswer answer = AnswerTo(reason);
  rejected_ = true;
  response_ = {};
  response_.version(11);
  response_.result(answer.status);
  response_.set(http::field::content_type, "text/plain");
  if (reason == Rejection::kMethod) response_.set(http::field::allow, "GET, HEAD, POST");
  if (reason == Rejection::kOverloaded) response_.set(http::field::retry_after, "1");
  response_.body() = std::string(answer.words) + '\n';
  response_.prepare_payload();
  Write(false);
}

template <typename Stream>
void Connection<Stream>::Finish() {
  Enter(Phase::kClosing, kLinger);
  if constexpr (kTls) {
    stream_.async_shutdown([self = Self()](error_code) { self->Linger(); });
  } else {
    Linger();
  }
}

// After a rejection the peer may still be sending: closing now would reset the connection, and it
// would never read why.
template <typename Stream>
void Connection<Stream>::Linger() {
  error_code error;
  socket().shutdown(tcp::socket::shutdown_send, error);
  if (error || !rejected_) return Close();
  parser_.reset();
  buffer_.clear();
  Discard();
}

template <typename Stream>
void Connection<Stream>::Discard() {
  socket().async_read_some(buffer_.prepare(kFirstRead),
                           [self = Self()](error_code error, std::size_t) {
                             if (error) return self->Close();
                             self->Discard();
                           });
}

template <typename Stream>
void Connection<Stream>::Close() {
  after_cancel_ = AfterCancel::kClose;
  error_code ignored;
  socket().close(ignored);
}

}  // namespace shm::runtime::internal
