#include "runtime/tls_probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace shm::runtime {
namespace {

using Clock = std::chrono::steady_clock;

struct Descriptor {
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  int number = -1;
};

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

bool ParseEndpoint(std::string text, std::uint16_t port, Endpoint& endpoint) {
  if (text.size() > 2 && text.front() == '[') text = text.substr(1, text.size() - 2);
  auto* four = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    endpoint.size = sizeof(*four);
    return true;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
  if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) != 1) return false;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  endpoint.size = sizeof(*six);
  return true;
}

// False when the deadline passed.
bool WaitFor(int descriptor, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{descriptor, events, 0};
    const int count = poll(&ready, 1, static_cast<int>(left));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

Result<void> Connect(int descriptor, const Endpoint& endpoint, Clock::time_point deadline) {
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&endpoint.storage), endpoint.size) ==
      0) {
    return {};
  }
  if (errno != EINPROGRESS) return Error{"", std::string("no connection: ") + strerror(errno)};
  if (!WaitFor(descriptor, POLLOUT, deadline)) return Error{"", "no connection in time"};
  int failure = 0;
  socklen_t size = sizeof(failure);
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return Error{"", std::string("no connection: ") + strerror(failure)};
  return {};
}

Result<void> Handshake(SSL* ssl, int descriptor, Clock::time_point deadline) {
  for (;;) {
    const int done = SSL_connect(ssl);
    if (done == 1) return {};
    const int want = SSL_get_error(ssl, done);
    // A server that then asks for a client's certificate has shown its own already.
    if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE) {
      ERR_clear_error();
      if (SSL_get0_peer_certificate(ssl) != nullptr) return {};
      return Error{"", "the server refuses the TLS handshake"};
    }
    if (!WaitFor(descriptor, want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
      return Error{"", "no TLS handshake in time"};
    }
  }
}

std::string Sha256Hex(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace

Result<std::string> ServedCertificate(const std::string& address, std::uint16_t port,
                                      const std::string& server_name,
                                      std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  Endpoint endpoint;
  if (!ParseEndpoint(address, port, endpoint)) {
    return Error{"address", "\"" + address + "\" is not an IP address"};
  }
  const Descriptor socket{
      ::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.number < 0) return Error{"", std::string("no socket: ") + strerror(errno)};
  if (Result<void> connected = Connect(socket.number, endpoint, deadline); !connected) {
    return connected.error();
  }
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  if (!ssl) return Error{"", "cannot make a TLS client"};
  SSL_set_tlsext_host_name(ssl.get(), server_name.c_str());
  SSL_set_fd(ssl.get(), socket.number);
  if (Result<void> done = Handshake(ssl.get(), socket.number, deadline); !done) return done.error();
  return Sha256Hex(SSL_get0_peer_certificate(ssl.get()));
}

}  // namespace shm::runtime
