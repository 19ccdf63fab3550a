#include "tests/unit/kube/connect_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace shm::kube::testing {
namespace {

// Either end of a tunnel: bytes, as they come.
struct End {
  int fd;
  TlsPeer* tls;  // null: plain

  std::string Read() const {
    if (tls != nullptr) return tls->Read();
    std::array<char, 16384> buffer{};
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  bool Write(const std::string& bytes) const {
    return tls != nullptr ? tls->Write(bytes) : Connection(fd).Write(bytes);
  }
  bool HasMore() const { return tls != nullptr && tls->HasMore(); }
};

// Until either closes.
void Relay(const End& client, const End& server) {
  for (;;) {
    std::array<pollfd, 2> ready = {pollfd{client.fd, POLLIN, 0}, pollfd{server.fd, POLLIN, 0}};
    if (!client.HasMore() && poll(ready.data(), ready.size(), -1) <= 0) return;
    if (client.HasMore() || ready[0].revents != 0) {
      const std::string bytes = client.Read();
      if (bytes.empty() || !server.Write(bytes)) return;
    } else {
      const std::string bytes = server.Read();
      if (bytes.empty() || !client.Write(bytes)) return;
    }
  }
}

// Every name is this machine's, so that only a proxy can lead to it.
int Dial(const std::string& request) {
  const std::size_t colon = request.rfind(':', request.find(" HTTP/"));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(request.c_str() + colon + 1)));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

ConnectProxy::ConnectProxy(Options options, bool ipv6)
    : options_(std::move(options)),
      server_([this](Connection& connection) { Serve(connection); }, ipv6) {}

std::vector<std::string> ConnectProxy::requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

void ConnectProxy::Serve(Connection& connection) {
  std::unique_ptr<TlsPeer> tls;
  if (options_.tls) {
    tls = std::make_unique<TlsPeer>(connection.fd(), *options_.tls);
    if (!tls->ok()) return;
  }
  const End client{connection.fd(), tls.get()};
  const std::string request = tls ? tls->Read() : connection.Read();
  if (request.compare(0, 8, "CONNECT ") != 0) return;
  {
    MutexLock lock(mutex_);
    requests_.push_back(request);
  }
  if (!options_.authorization.empty() &&
      request.find("\r\nProxy-Authorization: " + options_.authorization + "\r\n") ==
          std::string::npos) {
    client.Write(
        "HTTP/1.1 407 Proxy Authentication Required\r\n"
        "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nno");
    return;
  }
  const int server = Dial(request);
  if (server < 0) {
    client.Write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  client.Write(options_.answer);
  Relay(client, {server, nullptr});
  close(server);
}

}  // namespace shm::kube::testing
