#include "kube/http_transport.h"

#include <cpprest/astreambuf.h>
#include <cpprest/http_client.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <pplx/threadpool.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <utility>

#include "kube/exchange.h"
#include "kube/line_splitter.h"
#include "kube/proxy_tunnel.h"
#include "kube/tls_context.h"
#include "kube/token_source.h"

// What is done here, and what for (cpprestsdk 2.10.18):
// - One pool thread, and cancel only on it: a connection that is closed by one thread while another
//   completes an operation of its TLS stream crashes (the library locks the start of operations,
//   not their completion).
// - No waiting on the pool thread. Callers wait on threads of their own, in Exchange, with
// deadlines
//   of their own: the library's timeout is for each step, and every read sets it back.
// - A client apart for streams, whose steps may be silent for long.
// - The response goes to BodySink: the library's own buffer grows without bound for a slow reader.
// - The library's SSL_CTX is replaced by ours on every connection. It has loaded the system's CAs
// by
//   then, 19 ms of CPU; SSL_CERT_FILE and SSL_CERT_DIR pointing nowhere spare that.
// - No redirects: they would carry the bearer token along.
// - A proxy is the library's own business only where the API server speaks plain HTTP; else its
//   address is given for the server's, and ProxyTunnel leads on (says why in proxy_tunnel.h).
// - IPv6 literals. With brackets the library hands "[::1]" to the resolver, which fails. Its parser
//   takes what precedes the authority's last colon for the host, so that "https://::1:6443"
//   connects to ::1; the Host header and the certificate check are ours.

namespace shm::kube {
namespace {

namespace client = web::http::client;
using Socket = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<Socket&>;

constexpr std::chrono::minutes kStepTimeout{2};       // of ordinary calls; ours come before
constexpr std::chrono::hours kStreamStepTimeout{24};  // never: streams have deadlines
constexpr std::chrono::milliseconds kCancelGrace{250};
constexpr std::size_t kMaxErrorBody = 1024 * 1024;
// A chunk header of "-1" arrives here as a chunk of 2^64 - 1 bytes.
constexpr std::size_t kMaxChunk = std::size_t{1} << 31;

// Trap W3: a dead peer shows after about half a minute, on idle connections too.
void KeepAlive(int fd) {
  const int on = 1;
  const int idle = 15;     // seconds
  const int interval = 5;  // seconds
  const int probes = 3;
  const int unacknowledged = 30'000;  // milliseconds
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof unacknowledged);
}

// Hands the body to an Exchange, chunk by chunk. Write-only; the library calls _putn alone. Its
// tasks never fail: at a failed one the library closes the stream and waits for that on its only
// thread, which never returns. A body that is not wanted any more is let go instead, while the
// cancel is on its way.
class BodySink : public Concurrency::streams::details::streambuf_state_manager<uint8_t> {
  using Base = Concurrency::streams::details::streambuf_state_manager<uint8_t>;

 public:
  explicit BodySink(std::shared_ptr<Exchange> exchange)
      : Base(std::ios_base::out), exchange_(std::move(exchange)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(size_t, std::ios_base::openmode) override {}
  size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode) const override { return pos_type(-1); }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return pos_type(-1); }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override {
    return pos_type(-1);
  }
  bool acquire(uint8_t*&, size_t&) override { return false; }
  void release(uint8_t*, size_t) override {}

 protected:
  pplx::task<size_t> _putn(const uint8_t* data, size_t count) override {
    if (count > kMaxChunk) {
      exchange_->OnBroken("a chunk of impossible size");
      return pplx::task_from_result(count);
    }
    pplx::task_completion_event<size_t> taken;
    exchange_->OnChunk({reinterpret_cast<const char*>(data), count},
                       [taken, count] { taken.set(count); });
    return pplx::create_task(taken);
  }
  pplx::task<int_type> _putc(uint8_t byte) override {
    exchange_->OnBroken("a single byte, which the library never writes");
    return pplx::task_from_result<int_type>(byte);
  }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  uint8_t* _alloc(size_t) override { return nullptr; }
  void _commit(size_t) override {}
  pplx::task<int_type> _bumpc() override { return pplx::task_from_result<int_type>(-1); }
  int_type _sbumpc() override { return -1; }
  pplx::task<int_type> _getc() override { return pplx::task_from_result<int_type>(-1); }
  int_type _sgetc() override { return -1; }
  pplx::task<int_type> _nextc() override { return pplx::task_from_result<int_type>(-1); }
  pplx::task<int_type> _ungetc() override { return pplx::task_from_result<int_type>(-1); }
  pplx::task<size_t> _getn(uint8_t*, size_t) override { return pplx::task_from_result<size_t>(0); }
  size_t _scopy(uint8_t*, size_t) override { return 0; }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

std::optional<std::chrono::seconds> RetryAfter(const web::http::http_headers& headers) {
  const auto found = headers.find("Retry-After");
  if (found == headers.end()) return std::nullopt;
  int seconds = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || seconds <= 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600));
}

// Ends `exchange` with whatever `task` ended with, which is finished.
template <typename Task>
void FinishWith(Exchange& exchange, const Task& task) {
  try {
    task.get();
    exchange.OnDone(TransportFailure::kNone, "");
  } catch (const web::http::http_exception& error) {
    const bool slow = error.error_code() == std::errc::timed_out;
    exchange.OnDone(slow ? TransportFailure::kTimeout : TransportFailure::kUnreachable,
                    error.what());
  } catch (const std::exception& error) {
    exchange.OnDone(TransportFailure::kUnreachable, error.what());
  } catch (...) {
    exchange.OnDone(TransportFailure::kUnreachable, "unknown failure");
  }
}

// Sets the pool up at the first call. False if it was in use before, with its many threads.
bool OnePoolThread() {
  static const bool one = [] {
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
    // The pool's thread ends in a destructor of the library, after OpenSSL's own exit handler would
    // have taken its state away.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    try {
      crossplat::threadpool::initialize_with_threads(1);
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }();
  return one;
}

class HttpTransport : public Transport {
 public:
  HttpTransport(const ClusterConfig& config, HttpTransportOptions options,
                std::shared_ptr<TlsContext> tls, std::shared_ptr<ProxyTunnel> tunnel)
      : options_(std::move(options)),
        base_path_(config.base_path),
        host_(HostAndPort(config)),
        host_header_(config.host.find(':') == std::string::npos && !tunnel ? "" : host_),
        token_(config.token, config.token_file),
        proxy_(config.proxy),
        tls_(std::move(tls)),
        tunnel_(std::move(tunnel)),
        calls_(Address(config), Settings(kStepTimeout)),
        streams_(Address(config), Settings(kStreamStepTimeout)) {}

  static std::string HostAndPort(const ClusterConfig& config) {
    const bool ipv6 = config.host.find(':') != std::string::npos;
    return (ipv6 ? "[" + config.host + "]" : config.host) + ":" + std::to_string(config.port);
  }

  SendResult Send(const HttpRequest& request, std::chrono::milliseconds timeout,
                  const std::stop_token& stop) override {
    SendResult result;
    bool too_large = false;
    const auto collect = [&](const Exchange::Head&, std::string_view chunk) {
      too_large = result.response.body.size() + chunk.size() > options_.max_response_bytes;
      if (!too_large) result.response.body.append(chunk);
      return !too_large;
    };
    Exchange::Outcome outcome = Run(calls_, request, timeout, stop, collect, false);
    result.failure = too_large ? TransportFailure::kTooLarge : outcome.failure;
    result.message = too_large ? "the answer is too large" : std::move(outcome.message);
    result.response.status = outcome.head.status;
    result.response.retry_after = outcome.head.retry_after;
    return result;
  }

  StreamResult Open(const HttpRequest& request, const std::chrono::milliseconds& timeout,
                    const LineConsumer& consumer, const std::stop_token& stop) override {
    StreamResult result;
    LineSplitter lines(options_.max_line_bytes);
    bool too_large = false;
    const auto split = [&](const Exchange::Head& head, std::string_view chunk) {
      if (head.status != 200) {
        if (result.response.body.size() < kMaxErrorBody) result.response.body.append(chunk);
        return true;
      }
      const auto fed = lines.Feed(chunk, consumer);
      too_large = fed == LineSplitter::Outcome::kTooLong;
      return fed == LineSplitter::Outcome::kMore;
    };
    Exchange::Outcome outcome = Run(streams_, request, timeout, stop, split, true);
    result.failure = too_large ? TransportFailure::kTooLarge : outcome.failure;
    result.message = too_large ? "a line is too long" : std::move(outcome.message);
    result.response.status = outcome.head.status;
    result.response.retry_after = outcome.head.retry_after;
    result.truncated = !lines.partial().empty();
    result.ended_by_consumer = outcome.ended_by_consumer && !too_large;
    return result;
  }

 private:
  static std::string Address(bool tls, const std::string& host, int port) {
    return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
  }

  // What the library connects to.
  static std::string Address(const ClusterConfig& config) {
    return config.tls && config.proxy ? Address(true, config.proxy->host, config.proxy->port)
                                      : Address(config.tls, config.host, config.port);
  }

  template <typename Timeout>
  client::http_client_config Settings(Timeout timeout) const {
    client::http_client_config settings;
    settings.set_timeout(timeout);
    settings.set_max_redirects(0);
    settings.set_tlsext_sni_enabled(false);  // TlsContext does it, with the right name
    if (tls_) {
      settings.set_ssl_context_callback([tls = tls_](boost::asio::ssl::context& context) {
        SSL_CTX_up_ref(tls->get());
        context = boost::asio::ssl::context(tls->get());
      });
      settings.set_nativehandle_options([](void* handle) {
        auto* stream = static_cast<TlsStream*>(handle);
        TlsContext::SetUserPointer(stream->native_handle(), &stream->next_layer());
      });
    } else if (proxy_) {
      settings.set_proxy(web::web_proxy(web::uri(Address(false, proxy_->host, proxy_->port))));
    }
    return settings;
  }

  web::http::http_request Prepare(const HttpRequest& request,
                                  const std::shared_ptr<Exchange>& exchange) {
    web::http::http_request prepared(request.method);
    prepared.set_request_uri(base_path_ + request.path);
    auto& headers = prepared.headers();
    headers.add("User-Agent", options_.user_agent);
    headers.add("Accept", "application/json");
    if (!host_header_.empty()) headers.add("Host", host_header_);
    if (const std::string token = token_.Get(); !token.empty()) {
      headers.add("Authorization", "Bearer " + token);
    }
    // Credentials that the library is given for a proxy leak at each request.
    if (proxy_ && !tunnel_) {
      const std::string authorization = AuthorizationOf(*proxy_);
      if (!authorization.empty()) headers.add("Proxy-Authorization", authorization);
    }
    if (!request.content_type.empty()) prepared.set_body(request.body, request.content_type);
    const Concurrency::streams::streambuf<uint8_t> sink(std::make_shared<BodySink>(exchange));
    prepared.set_response_stream(sink.create_ostream());
    return prepared;
  }

  static void Begin(client::http_client& via, web::http::http_request request,
                    const pplx::cancellation_token& token,
                    const std::shared_ptr<Exchange>& exchange) {
    via.request(std::move(request), token)
        .then([exchange](const pplx::task<web::http::http_response>& task) {
          try {
            web::http::http_response response = task.get();
            exchange->OnHeaders(response.status_code(), RetryAfter(response.headers()));
            response.content_ready().then(
                [exchange](const pplx::task<web::http::http_response>& body) {
                  FinishWith(*exchange, body);
                });
          } catch (...) {
            FinishWith(*exchange, task);
          }
        });
  }

  Exchange::Outcome Run(client::http_client& via, const HttpRequest& request,
                        const std::chrono::milliseconds& timeout, const std::stop_token& stop,
                        const Exchange::ChunkConsumer& consumer, bool stream) {
    const auto began = std::chrono::steady_clock::now();
    const auto exchange = std::make_shared<Exchange>();
    pplx::cancellation_token_source source;
    Exchange::Outcome outcome;
    bool reported = false;
    const auto observed = [&](const Exchange::Head& head, std::string_view chunk) {
      if (stream && !std::exchange(reported, true)) {
        Exchange::Outcome begun;
        begun.head = head;
        Report(request, begun, began, stream);
      }
      return consumer(head, chunk);
    };
    try {
      Begin(via, Prepare(request, exchange), source.get_token(), exchange);
      outcome = exchange->Wait(began, timeout, stop, observed);
    } catch (const std::exception& error) {  // a path that is no URI
      exchange->OnDone(TransportFailure::kUnreachable, error.what());
      outcome.failure = TransportFailure::kUnreachable;
      outcome.message = error.what();
      outcome.done = true;
    }
    if (!outcome.done) {
      pplx::create_task([source, exchange] {
        source.cancel();
        exchange->Abandon();
      });
      exchange->WaitDone(std::chrono::steady_clock::now() + kCancelGrace);
    }
    Explain(outcome);
    if (outcome.head.status == 401) token_.Invalidate();
    if (!reported) Report(request, outcome, began, stream);
    return outcome;
  }

  // The library says "Error in SSL handshake" whatever the reason.
  void Explain(Exchange::Outcome& outcome) {
    const bool unreachable = outcome.failure == TransportFailure::kUnreachable;
    if (unreachable && tls_ && outcome.message.find("SSL handshake") != std::string::npos) {
      ExplainHandshake(outcome);
    } else if (proxy_ && (unreachable || outcome.failure == TransportFailure::kTimeout)) {
      outcome.message = "through the proxy " + NameOf(*proxy_) + ": " + outcome.message;
    }
  }

  void ExplainHandshake(Exchange::Outcome& outcome) {
    const std::string refused = tls_->TakeVerifyError();
    const std::string proxy_error = tunnel_ ? tunnel_->LastError() : "";
    if (!refused.empty() || !tunnel_) outcome.failure = TransportFailure::kTls;
    if (!refused.empty()) {
      outcome.message = "the server's certificate was refused: " + refused;
    } else if (!proxy_error.empty()) {
      outcome.message = proxy_error;
    } else if (tunnel_) {
      outcome.message = "the proxy " + NameOf(*proxy_) +
                        ", or the API server behind it, ended the connection before it was secure";
    }
  }

  void Report(const HttpRequest& request, const Exchange::Outcome& outcome,
              std::chrono::steady_clock::time_point began, bool stream) const {
    if (!options_.on_request) return;
    RequestSample sample;
    sample.method = request.method;
    sample.host = host_;
    sample.status = outcome.head.status;
    sample.failure = outcome.failure;
    sample.seconds = std::chrono::steady_clock::now() - began;
    sample.stream = stream;
    options_.on_request(sample);
  }

  const HttpTransportOptions options_;
  const std::string base_path_;
  const std::string host_;
  const std::string host_header_;  // empty: the library's own
  TokenSource token_;
  const std::optional<ProxyUrl> proxy_;
  const std::shared_ptr<TlsContext> tls_;      // null: plain HTTP
  const std::shared_ptr<ProxyTunnel> tunnel_;  // where there are a proxy and TLS
  client::http_client calls_;
  client::http_client streams_;
};

}  // namespace

void InitializeClientThreads() { static_cast<void>(OnePoolThread()); }

Result<std::unique_ptr<Transport>> MakeHttpTransport(const ClusterConfig& config,
                                                     HttpTransportOptions options) {
  if (!OnePoolThread()) {
    return Error{"", "cpprestsdk's pool was used before InitializeClientThreads"};
  }
  if (options.user_agent.empty()) options.user_agent = "shm-operator/" SHM_VERSION;
  std::shared_ptr<TlsContext> tls;
  std::shared_ptr<ProxyTunnel> tunnel;
  if (config.tls) {
    auto made = TlsContext::Make(config);
    if (!made.ok()) return made.error();
    tls = std::move(made).value();
    if (config.proxy) {
      auto dug =
          ProxyTunnel::Make(*config.proxy, HttpTransport::HostAndPort(config), config.ca_pem);
      if (!dug.ok()) return dug.error();
      tunnel = std::move(dug).value();
    }
    tls->OnHandshake([tunnel](SSL* ssl, void* socket) {
      if (tunnel) tunnel->Install(ssl);
      if (socket != nullptr) KeepAlive(static_cast<Socket*>(socket)->native_handle());
    });
  }
  try {
    return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(
        config, std::move(options), std::move(tls), std::move(tunnel)));
  } catch (const std::exception& error) {
    return Error{"server", error.what()};
  }
}

}  // namespace shm::kube
