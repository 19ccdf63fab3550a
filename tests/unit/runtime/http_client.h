// A peer for the server's tests that may say anything: plain sockets, and TLS by OpenSSL, without
// any HTTP library in between.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace shm::runtime::testing {

class Peer {
 public:
  // From `source`, one of 127.0.0.0/8 in host byte order.
  explicit Peer(std::uint16_t port, std::uint32_t source = INADDR_LOOPBACK)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const timeval patience{10, 0};  // of handshakes, which a test may wait for without end
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(source);
    connected_ = ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    connected_ =
        connected_ && ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Peer() {
    ssl_.reset();
    ::close(fd_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool connected() const { return connected_; }

  // Of what StartTls presents to the server: a certificate and its key, PEM.
  void Present(std::string certificate, std::string key) {
    certificate_ = std::move(certificate);
    key_ = std::move(key);
  }

  // Speaks TLS of at most `max_version` from here on; false where the server refuses. `options`:
  // SSL_OP_*.
  bool StartTls(int max_version = TLS1_3_VERSION, std::uint64_t options = 0) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), max_version);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_options(context.get(), options);
    if (!certificate_.empty()) UseCertificate(context.get());
    ssl_ = {SSL_new(context.get()), SSL_free};
    SSL_set_fd(ssl_.get(), fd_);
    const bool done = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
    return done;
  }

  // Asks for another handshake on this connection, as TLS 1.2 lets it; false where it is refused.
  bool Renegotiate() {
    const bool done = SSL_renegotiate(ssl_.get()) == 1 && SSL_do_handshake(ssl_.get()) == 1;
    ERR_clear_error();
    return done;
  }

  // Has the server answer TLS's own messages, and never takes the answers: until nothing goes out
  // any more. Nothing else can be done with it then.
  void FloodKeyUpdates() {
    const int small = 4096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
    for (int blocked = 0; blocked < 20;) {
      const bool sent = SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1 &&
                        SSL_do_handshake(ssl_.get()) == 1;
      blocked = sent ? 0 : blocked + 1;
      if (!sent) ::usleep(5'000);
    }
    ERR_clear_error();
  }

  // What TLS makes of a text, for SendBytes: nothing else can be sent after it.
  std::string Encrypt(std::string_view text) {
    BIO* const written = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl_.get(), written);
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    char* data = nullptr;
    const long size = BIO_get_mem_data(written, &data);
    return {data, static_cast<std::size_t>(size)};
  }
  void SendBytes(std::string_view bytes) { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // The subject of the certificate that the server presented.
  std::string ServerSubject() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return "";
    char text[256] = {};
    X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof(text) - 1);
    return text;
  }

  // False once the server has closed.
  bool Send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()))
                             : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Everything until the server closes, or until the text ends with `end`. Gives up after 10 s.
  std::string Receive(std::string_view end = "") {
    std::string text;
    char piece[4096];
    while (end.empty() || !text.ends_with(end)) {
      pollfd ready{fd_, POLLIN, 0};
      if ((!ssl_ || SSL_pending(ssl_.get()) == 0) && ::poll(&ready, 1, 10'000) <= 0) {
        return text + "<nothing for 10 s>";
      }
      const auto got =
          ssl_ ? SSL_read(ssl_.get(), piece, sizeof(piece)) : ::recv(fd_, piece, sizeof(piece), 0);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }

  void EndSending() { ::shutdown(fd_, SHUT_WR); }

 private:
  void UseCertificate(SSL_CTX* context) const {
    const auto open = [](const std::string& pem) {
      return std::unique_ptr<BIO, decltype(&BIO_free)>(
          BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    };
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(open(certificate_).get(), nullptr, nullptr, nullptr), X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(open(key_).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    SSL_CTX_use_certificate(context, certificate.get());
    SSL_CTX_use_PrivateKey(context, key.get());
  }

  int fd_;
  bool connected_ = false;
  std::string certificate_;
  std::string key_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

}  // namespace shm::runtime::testing
