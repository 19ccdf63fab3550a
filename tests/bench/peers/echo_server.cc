// The floor: our own transport, with TLS and its limits, under a handler that says back what it was
// sent. What the webhook costs above it is the review's reading, the decision and the answer.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "runtime/http_server.h"
#include "runtime/signals.h"

namespace {

constexpr int kThreads = 4;  // as many as the webhook has

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

shm::runtime::Response Echo(const shm::runtime::Request& request) {
  return {200, "application/json", std::string(request.body), {}};
}

int Fail(const shm::Error& error) {
  std::fprintf(stderr, "bench_echo: %s\n", error.ToString().c_str());
  return 1;
}

}  // namespace

// bench_echo PORT FOLDER, where the folder holds tls.crt and tls.key.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  shm::runtime::Signals signals;
  const std::string folder = argv[2];
  shm::runtime::HttpServerOptions options;
  options.address = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  options.threads = kThreads;
  options.tls = std::make_shared<shm::runtime::ServerTls>();
  if (const auto set =
          options.tls->SetPair(ReadFile(folder + "/tls.crt"), ReadFile(folder + "/tls.key"));
      !set) {
    return Fail(set.error());
  }
  const auto server = shm::runtime::MakeHttpServer();
  if (const auto started = server->Start(std::move(options), Echo); !started) {
    return Fail(started.error());
  }
  signals.Wait();
  return 0;
}
