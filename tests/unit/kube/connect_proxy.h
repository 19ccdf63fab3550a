// An HTTP proxy that knows CONNECT, over plain TCP or TLS.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/mutex.h"
#include "tests/support/socket_server.h"
#include "tests/unit/kube/tls_server.h"

namespace shm::kube::testing {

class ConnectProxy {
 public:
  struct Options {
    std::optional<Pair> tls{};    // with the clients
    std::string authorization{};  // what Proxy-Authorization must be; empty: anything goes
    std::string answer = "HTTP/1.1 200 Connection established\r\n\r\n";  // to a CONNECT that may
  };
  explicit ConnectProxy(Options options, bool ipv6 = false);

  int port() const { return server_.port(); }
  // The CONNECT requests so far, whole.
  std::vector<std::string> requests() const;

 private:
  void Serve(Connection& connection);

  const Options options_;
  mutable Mutex mutex_;
  std::vector<std::string> requests_ SHM_GUARDED_BY(mutex_);
  SocketServer server_;  // last: its threads use the rest
};

}  // namespace shm::kube::testing
