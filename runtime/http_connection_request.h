// The way of a request through Connection: handshake, header, body, handler, response. Included by
// http_connection.h alone.
#pragma once

#include "runtime/http_connection.h"

namespace shm::runtime::internal {

template <typename Stream>
void Connection<Stream>::Handshake() {
  if constexpr (kTls) {
    // First it is seen whether the peer says anything: who does not is the first to make room.
    socket().async_wait(tcp::socket::wait_read, [self = Self()](error_code error) {
      if (error) return self->Close();
      self->MarkHeard();
      self->stream_.async_handshake(net::ssl::stream_base::server,
                                    [self](error_code failed) { self->OnHandshake(failed); });
    });
  } else {
    AwaitRequest();
  }
}

template <typename Stream>
void Connection<Stream>::OnHandshake(error_code error) {
  if (!error) return AwaitRequest();
  // A peer that connects and leaves, as probes do, is not worth a count.
  if (error != net::error::eof && error != net::ssl::error::stream_truncated &&
      error != net::error::operation_aborted) {
    hub_.Reject(Rejection::kHandshake);
  }
  Close();
}

template <typename Stream>
void Connection<Stream>::AwaitRequest() {
  if (hub_.draining && served() && !Pending()) return Finish();
  // A new connection that says nothing has the time of a header, one that was served may rest.
  const auto patience = served() ? limits().idle : limits().header;
  Enter(Phase::kWaiting, hub_.draining ? kLinger : patience);
  spared_ = leaving_ = false;
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
  MarkHeard();
  first_byte_ = Clock::now();
  header_bytes_ = 0;
  ParseHeader();
}

// The limit holds while the header comes: Beast has one for what it did not parse yet, and parses
// each field whose end it sees.
template <typename Stream>
void Connection<Stream>::ParseHeader() {
  error_code error;
  header_bytes_ += ParseBuffered(error);
  if (error != http::error::need_more) return OnHeader(error);
  if (header_bytes_ + buffer_.size() > limits().header_bytes) {
    return Reject(Rejection::kHeaderTooLarge);
  }
  ReadMore(&Connection::ParseHeader);
}

// What has come already needs no asynchronous read, which would take a turn through the queue. The
// bytes that were parsed; need_more where they end amid something.
template <typename Stream>
std::size_t Connection<Stream>::ParseBuffered(error_code& error) {
  const std::size_t parsed = parser_->put(buffer_.data(), error);
  buffer_.consume(parsed);
  return parsed;
}

// Of a chunk, where Beast takes what no line may have, if it stands in quotes. Beast wants no
// constant.
inline auto check_extensions = [](std::uint64_t, beast::string_view text, error_code& failed) {
  const auto control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), control)) failed = http::error::bad_chunk_extension;
};

template <typename Stream>
void Connection<Stream>::OnHeader(error_code error) {
  // Beast's limit is one for the request line and one more for the fields.
  if (header_bytes_ > limits().header_bytes) return Reject(Rejection::kHeaderTooLarge);
  if (error) return OnReadFailed(error);
  if (const std::optional<Rejection> reason = CheckHeader()) return Reject(*reason);
  Enter(Phase::kBody, limits().body);
  if (parser_->chunked()) parser_->on_chunk_header(check_extensions);
  parser_->eager(true);
  if (parser_->is_done()) return Handle();
  if (parser_->get().version() == 11 && !parser_->get()[http::field::expect].empty()) {
    return SendContinue();
  }
  ReadBody();
}

// What Beast lets through and we do not.
template <typename Stream>
std::optional<Rejection> Connection<Stream>::CheckHeader() const {
  const auto& header = parser_->get();
  if (header.version() == 11 && header.count(http::field::host) != 1) {
    return Rejection::kMalformed;
  }
  // Beast takes a length that is said several times, in one field or in more.
  const auto length = header.find(http::field::content_length);
  if (length != header.end() && (header.count(http::field::content_length) > 1 ||
                                 length->value().find(',') != boost::beast::string_view::npos)) {
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

// Not by Beast's read, which goes on by itself where the bytes end amid a field or the line before
// a chunk: nothing would be counted meanwhile.
template <typename Stream>
void Connection<Stream>::ReadMore(void (Connection::*next)()) {
  if (buffer_.size() > kBufferLimit - kFirstRead) return Reject(Rejection::kMalformed);
  stream_.async_read_some(buffer_.prepare(kFirstRead),
                          GoesOn{[self = Self(), next](error_code error, std::size_t bytes) {
                            if (error) return self->OnReadFailed(error);
                            self->buffer_.commit(bytes);
                            (self.get()->*next)();
                          }});
}

// Piece by piece, so that what all connections hold together can be counted as it comes.
template <typename Stream>
void Connection<Stream>::ReadBody() {
  while (buffer_.size() > 0 && !parser_->is_done()) {
    error_code error;
    const std::size_t parsed = ParseBuffered(error);
    if (error && error != http::error::need_more) return OnReadFailed(error);
    if (!ChargeBody()) return Reject(Rejection::kOverloaded);
    if (error || parsed == 0) break;
  }
  if (parser_->is_done()) return Handle();
  ReadMore(&Connection::ReadBody);
}

template <typename Stream>
bool Connection<Stream>::ChargeBody() {
  const std::size_t size = parser_->get().body().size();
  const std::size_t counted = size - std::min(size, limits().small_body_bytes);
  if (counted <= charged_) return true;
  if (!hub_.Charge(this, counted - charged_)) return false;
  charged_ = counted;
  return true;
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
  SetBody(std::move(response.body));
  Write(keep_alive);
}

// HEAD is told the length alone.
template <typename Stream>
void Connection<Stream>::SetBody(std::string body) {
  response_.content_length(body.size());
  if (parser_->get().method() != http::verb::head) response_.body() = std::move(body);
}

template <typename Stream>
void Connection<Stream>::Write(bool keep_alive) {
  response_.keep_alive(keep_alive);
  Enter(Phase::kWriting, limits().write);
  http::async_write(stream_, response_,
                    GoesOn{[self = Self(), keep_alive](error_code error, std::size_t) {
                      self->OnWritten(error, keep_alive);
                    }});
}

template <typename Stream>
void Connection<Stream>::OnWritten(error_code error, bool keep_alive) {
  FinishRequest();
  if (error) return Close();
  if (!rejected_) CountServed();
  if (!keep_alive) return Finish();
  AwaitRequest();
}

template <typename Stream>
void Connection<Stream>::FinishRequest() {
  if (std::exchange(charged_, 0) > 0) hub_.Refund(this);
  if (std::exchange(in_flight_, false)) --hub_.in_flight;
}

}  // namespace shm::runtime::internal
