// Certificates and a TLS end for SocketServer's connections.
#pragma once

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
