// Certificates and a TLS end for SocketServer's connections.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace shm::kube::testing {

struct Pair {
  std::string cert_pem;
  std::string key_pem;
};

// A CA of its own each time. `valid_days` may be negative: expired.
Pair MakeCa();
// A certificate for `san`, "DNS:name" or "IP:address", signed by `ca`.
Pair MakeCert(const Pair& ca, const std::string& san, int valid_days = 1);

// The server's end of TLS on the accepted socket `fd`, which stays the caller's. Client
// certificates are demanded where `client_ca` is not empty.
class TlsPeer {
 public:
  TlsPeer(int fd, const Pair& pair, const std::string& client_ca = {});

  bool ok() const { return ok_; }  // the handshake succeeded
  std::string sni() const;         // the name the client asked for
  // What has come, at most one record; blocks for it. Empty at the end.
  std::string Read();
  bool Write(const std::string& bytes);
  void Close();          // of TLS; the socket stays open
  bool HasMore() const;  // Read would not block, whatever the socket says

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool ok_ = false;
};

// Serves one request on the accepted socket `fd` with the fixed response, over TLS. Client
// certificates are demanded where `client_ca` is not empty. Returns the name the client asked for
// by SNI, and the request; empty where the handshake failed.
struct Served {
  std::string sni;
  std::string request;
};
Served ServeTls(int fd, const Pair& pair, const std::string& client_ca,
                const std::string& response);

}  // namespace shm::kube::testing
