// How a Connection ends: deadlines, departures, rejections, closing. Included by http_connection.h
// alone.
#pragma once

#include "runtime/http_connection.h"

namespace shm::runtime::internal {

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
      return FinishUnlessAsked();
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

// Who has just come is about to ask.
template <typename Stream>
void Connection<Stream>::OnLeave() {
  if (phase() == Phase::kWaiting && served()) return FinishUnlessAsked();
  const bool silent = phase() == Phase::kHandshake && !heard();
  if (phase() == Phase::kWaiting || silent) Enter(phase(), kLinger);
}

template <typename Stream>
void Connection<Stream>::OnEvict() {
  const bool rests = phase() == Phase::kWaiting || phase() == Phase::kHandshake;
  if ((rests && Spare()) || !Evictable(Clock::now())) return UnmarkEvicting();
  hub_.Reject(Rejection::kEvicted);
  Close();
}

// Where all threads were busy, bytes that came long ago may still wait to be read. Their request
// would be lost: no client repeats a POST that it has written (trap A13).
template <typename Stream>
bool Connection<Stream>::Pending() {
  error_code error;
  if (buffer_.size() > 0 || (socket().available(error) > 0 && !error)) return true;
  // Half a record, of which TLS has the beginning.
  if constexpr (kTls) {
    return phase() == Phase::kWaiting && SSL_has_pending(stream_.native_handle()) == 1;
  }
  return false;
}

// Once for each request: bytes that are never read, as a peer has them lie there that has TLS's own
// messages answered and does not take the answers, spare nobody for ever.
template <typename Stream>
bool Connection<Stream>::Spare() {
  return Pending() && !std::exchange(spared_, true);
}

template <typename Stream>
void Connection<Stream>::FinishUnlessAsked() {
  if (Spare()) return Enter(phase(), kLinger);
  if (std::exchange(leaving_, true)) return Close();  // there was no read that a cancel could end
  CancelRead(AfterCancel::kFinish);
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
        return Spare() ? AwaitRequest() : Finish();
      case AfterCancel::kClose:
        return Close();
    }
  }
  if (error == http::error::header_limit) return Reject(Rejection::kHeaderTooLarge);
  if (error == http::error::body_limit) return Reject(Rejection::kBodyTooLarge);
  const bool spoke_http = error.category() == error_code(http::error::bad_method).category();
  if (spoke_http) return Reject(Rejection::kMalformed);
  Close();  // the peer has left
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
  SetBody(std::string(answer.words) + '\n');
  Write(false);
}

template <typename Stream>
void Connection<Stream>::Finish() {
  parser_.reset();  // the body, which is accounted for no longer, while the peer takes its time
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
