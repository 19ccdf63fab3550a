// The floor: our own transport, with TLS and its limits, under a handler that says back what it was
// sent. What the webhook costs above it is the review's reading, the decision and the answer. With
// an answer of its own it serves an API server too, to which no review is an answer.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/http_server.h"
#include "runtime/memory.h"
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

// `answer` with the review's uid, which an API server writes first of all, in the place of one of
// zeros.
std::string AnswerTo(std::string_view review, std::string answer) {
  constexpr std::string_view kZeros = "00000000-0000-4000-8000-000000000000";
  constexpr std::string_view kKey = "\"uid\":\"";
  const auto from = review.find(kKey);
  const auto to = answer.find(kZeros);
  if (from == std::string_view::npos || to == std::string::npos) return answer;
  return answer.replace(to, kZeros.size(), review.substr(from + kKey.size(), kZeros.size()));
}

int Fail(const shm::Error& error) {
  std::fprintf(stderr, "bench_echo: %s\n", error.ToString().c_str());
  return 1;
}

}  // namespace

// bench_echo PORT FOLDER [ANSWER], where the folder holds tls.crt and tls.key, and the file ANSWER
// what is said instead of what was sent.
int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  shm::runtime::Signals signals;
  shm::runtime::GiveMemoryBack();
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
  shm::runtime::Handler handler = Echo;
  if (argc == 4) {
    handler = [answer = ReadFile(argv[3])](const shm::runtime::Request& request) {
      return shm::runtime::Response{200, "application/json", AnswerTo(request.body, answer), {}};
    };
  }
  const auto server = shm::runtime::MakeHttpServer();
  if (const auto started = server->Start(std::move(options), std::move(handler)); !started) {
    return Fail(started.error());
  }
  signals.Wait();
  return 0;
}
