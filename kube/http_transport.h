// The Transport to a real API server.
//
// Over cpprestsdk's client, and the only file of the clients that includes it. What it takes to use
// that client safely is explained in http_transport.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "kube/cluster_config.h"
#include "kube/transport.h"

namespace shm::kube {

// First thing in main, before anything else of cpprestsdk is used, its server included: the
// library's pool gets exactly one thread, without which its client crashes on cancel. Idempotent.
void InitializeClientThreads();

// A request, for metrics: as it is finished, a stream as soon as it delivers something. `status` is
// 0 where there was no response.
struct RequestSample {
  std::string method{};
  std::string host{};  // of the API server, with its port
  int status = 0;
  TransportFailure failure = TransportFailure::kNone;
  std::chrono::duration<double> seconds{0};
  bool stream = false;
};

struct HttpTransportOptions {
  std::string user_agent{};                           // empty: "shm-operator/VERSION"
  std::size_t max_response_bytes = 64 * 1024 * 1024;  // of an ordinary response
  std::size_t max_line_bytes = 16 * 1024 * 1024;      // of one line of a stream
  // From the thread that made the call; may be empty.
  std::function<void(const RequestSample&)> on_request;
};

// An Error says which part of `config` cannot be used (certificates, keys). No connection is made
// yet. The transport must outlive the calls on it.
Result<std::unique_ptr<Transport>> MakeHttpTransport(const ClusterConfig& config,
                                                     HttpTransportOptions options = {});

}  // namespace shm::kube
