// Accepts connections on one port and gives each its Connection. Private to http_server.cc.
#pragma once

#include <netinet/tcp.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/http_connection.h"

namespace shm::runtime::internal {

class Listener {
 public:
  explicit Listener(HttpServerOptions options)
      : acceptor_(net::make_strand(io_)), retry_(acceptor_.get_executor()), sweep_(io_) {
    hub_.options = std::move(options);
  }
  ~Listener() { Stop(); }

  Hub& hub() { return hub_; }
  std::uint16_t port() const { return port_; }

  Result<void> Bind();
  void Run();
  void StopAccepting(Clock::time_point deadline);
  void Stop();

 private:
  error_code Open(const tcp::endpoint& endpoint);
  bool HasCertificate() const { return !hub_.options.tls || hub_.options.tls->context(); }
  void Accept();
  void OnAccept(error_code error, tcp::socket socket);
  void AdmitHeld();
  void Admit(tcp::socket socket);
  void AdmitBacklog();
  void Sweep();
  void RunThread();

  Hub hub_;  // outlives the connections, which end with io_
  net::io_context io_;
  tcp::acceptor acceptor_;
  net::steady_timer retry_;
  std::optional<tcp::socket> held_;  // was accepted, and waits for room
  net::steady_timer sweep_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
};

// As Occupant has it. An IPv4 address, mapped or not, is a number that no /64 in use is.
inline std::uint64_t NetworkOf(const net::ip::address& address) {
  if (address.is_v4()) return address.to_v4().to_uint();
  const net::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return net::ip::make_address_v4(net::ip::v4_mapped, v6).to_uint();
  std::uint64_t network = 0;
  for (std::size_t i = 0; i < 8; ++i) network = network << 8 | v6.to_bytes()[i];
  return network;
}

inline error_code Listener::Open(const tcp::endpoint& endpoint) {
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor_.set_option(net::socket_base::reuse_address(true), error);
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor_.set_option(net::ip::v6_only(false), error);
  }
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
  }
  return error;
}

inline Result<void> Listener::Bind() {
  std::string text = hub_.options.address;
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  error_code error;
  const net::ip::address address = net::ip::make_address(text, error);
  if (error) return Error{"listen-address", "\"" + text + "\" is not an IP address"};
  error = Open({address, hub_.options.port});
  const bool no_ipv6 = error == net::error::address_family_not_supported ||
                       error == boost::system::errc::address_not_available;
  if (no_ipv6 && address.is_v6() && address.is_unspecified()) {
    error = Open({net::ip::address_v4::any(), hub_.options.port});
  }
  if (error) {
    return Error{"listen-address", "cannot listen on " + text + " port " +
                                       std::to_string(hub_.options.port) + ": " + error.message()};
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

inline void Listener::Run() {
  net::post(acceptor_.get_executor(), [this] { Accept(); });
  Sweep();
  for (int i = 0; i < std::max(1, hub_.options.threads); ++i) {
    threads_.emplace_back([this] { RunThread(); });
  }
}

// What is thrown here (memory, mostly) unwinds one callback: its connection goes, the server stays.
inline void Listener::RunThread() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (...) {
      hub_.Reject(Rejection::kHandlerFailed);
    }
  }
}

inline void Listener::Accept() {
  acceptor_.async_accept(net::make_strand(io_), [this](error_code error, tcp::socket socket) {
    OnAccept(error, std::move(socket));
  });
}

inline void Listener::OnAccept(error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) {
    if (!error && hub_.draining && HasCertificate()) Admit(std::move(socket));
    return;
  }
  if (error == net::error::no_descriptors || error == net::error::no_memory ||
      error == net::error::no_buffer_space ||
      error == boost::system::errc::too_many_files_open_in_system) {
    // The peer stays in the backlog, so trying at once would only burn the processor.
    hub_.Reject(Rejection::kDescriptorsExhausted);
    retry_.expires_after(std::chrono::milliseconds(100));
    return retry_.async_wait([this](error_code) {
      if (acceptor_.is_open()) Accept();
    });
  }
  if (error) return Accept();
  held_ = std::move(socket);
  AdmitHeld();
}

// Where there is no room or no certificate yet it waits, and the others behind it in the backlog:
// after a crash callers may come before the first certificate has been read again.
inline void Listener::AdmitHeld() {
  try {
    const Clock::time_point now = Clock::now();
    if (!HasCertificate() || !hub_.HasRoom(now) || !hub_.MakeRoom(now)) {
      retry_.expires_after(std::chrono::milliseconds(HasCertificate() ? 5 : 50));
      return retry_.async_wait(
          [this](error_code) { acceptor_.is_open() ? AdmitHeld() : held_.reset(); });
    }
    Admit(*std::exchange(held_, std::nullopt));
  } catch (...) {
    held_.reset();
    hub_.Reject(Rejection::kConnectionLimit);  // no memory for one more
  }
  Accept();
}

inline void Listener::Admit(tcp::socket socket) {
  error_code ignored;  // none of these is worth losing a connection
  const std::uint64_t network = NetworkOf(socket.remote_endpoint(ignored).address());
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(net::socket_base::keep_alive(true), ignored);
  socket.set_option(net::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>(30), ignored);
  socket.set_option(net::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>(10), ignored);
  socket.set_option(net::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>(3), ignored);
  std::shared_ptr<Session> session;
  if (hub_.options.tls) {
    const std::shared_ptr<SSL_CTX> current = hub_.options.tls->context();
    SSL_CTX_up_ref(current.get());  // the wrapper takes one reference, the connection keeps its own
    net::ssl::context context(current.get());
    session = std::make_shared<Connection<TlsStream>>(hub_, std::move(socket), context);
  } else {
    session = std::make_shared<Connection<PlainStream>>(hub_, std::move(socket));
  }
  hub_.Add(session, network);
  session->Start();
}

inline void Listener::Sweep() {
  const HttpLimits& limits = hub_.options.limits;
  const auto shortest =
      std::min({limits.handshake, limits.header, limits.body, limits.idle, limits.write});
  sweep_.expires_after(
      std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(250)));
  sweep_.async_wait([this](error_code error) {
    if (error) return;
    Sweep();  // before what may throw: deadlines would else be over for good
    hub_.EnforceDeadlines(Clock::now());
  });
}

// Peers that are connected as far as the kernel goes would be reset.
inline void Listener::AdmitBacklog() {
  const auto room = [this] {
    const Clock::time_point now = Clock::now();
    return HasCertificate() && hub_.HasRoom(now) && hub_.MakeRoom(now);
  };
  if (held_ && room()) Admit(*std::exchange(held_, std::nullopt));
  error_code error;
  acceptor_.non_blocking(true, error);
  while (!error && room()) {
    tcp::socket socket(net::make_strand(io_));
    acceptor_.accept(socket, error);
    if (!error) Admit(std::move(socket));
  }
}

// Returns when nothing more is accepted, or at the deadline: handlers may have all threads.
inline void Listener::StopAccepting(Clock::time_point deadline) {
  if (threads_.empty()) return;
  const auto closed = std::make_shared<std::promise<void>>();
  net::post(acceptor_.get_executor(), [this, closed] {
    try {
      AdmitBacklog();
    } catch (...) {
      hub_.Reject(Rejection::kConnectionLimit);
    }
    error_code ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    closed->set_value();
  });
  closed->get_future().wait_until(deadline);
}

// The threads are gone when the connections are closed: their last callbacks run here.
inline void Listener::Stop() {
  if (threads_.empty()) return;
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  error_code ignored;
  acceptor_.close(ignored);
  // Twice: what was queued may have admitted another one.
  for (int i = 0; i < 2; ++i) {
    hub_.Abort();
    io_.restart();
    io_.poll();
  }
}

}  // namespace shm::runtime::internal
