// A TCP server that says what it was told to, byte by byte.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/mutex.h"

namespace shm::kube::testing {

// One accepted connection. Valid during the server's handler.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  // The next request, headers and body; empty when the peer has closed.
  std::string Read();
  // False when the peer does not take it.
  bool Write(const std::string& bytes);
  // How long Write waits for the peer to take something.
  void SetSendTimeout(std::chrono::milliseconds timeout);
  int fd() const { return fd_; }
  // Blocks until the peer closes.
  void WaitForClose();

 private:
  const int fd_;
  std::string buffer_;
};

// Listens on a port of 127.0.0.1 (or ::1) that the kernel chooses. Each connection has a thread.
class SocketServer {
 public:
  using Handler = std::function<void(Connection&)>;
  explicit SocketServer(Handler handler, bool ipv6 = false);
  ~SocketServer();  // closes every connection and waits for the handlers

  int port() const { return port_; }  // 0: the address cannot be bound
  int connections() const { return connections_.load(); }

 private:
  void Accept();

  const Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  Mutex mutex_;
  std::vector<int> open_ SHM_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ SHM_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

// A response with a Content-Length; `headers` are whole lines with their CRLF.
std::string Reply(int status, const std::string& body, const std::string& headers = {});
// The head of a chunked response, a chunk of it, and its end.
std::string ChunkedHead(int status = 200);
std::string Chunk(const std::string& data);
inline constexpr char kLastChunk[] = "0\r\n\r\n";

}  // namespace shm::kube::testing
