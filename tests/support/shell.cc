#include "tests/support/shell.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

namespace shm::test {
namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// How much longer everything takes than it usually does: 1, unless $SHM_TEST_SLOWNESS says more.
int Slowness() {
  const char* factor = std::getenv("SHM_TEST_SLOWNESS");
  return factor == nullptr ? 1 : std::max(1, std::atoi(factor));
}

int ExitCode(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

ShellResult Shell(const std::string& command, const std::string& input) {
  TempDir dir;
  const std::string input_path = dir.path() + "/input";
  std::ofstream(input_path) << input;
  const std::string line = "cd " + Quoted(SHM_SOURCE_DIR) + " && bash -c " + Quoted(command) +
                           " < " + Quoted(input_path) + " 2>&1";
  ShellResult result;
  FILE* pipe = popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> buffer;
  while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), count);
  }
  result.exit_code = ExitCode(pclose(pipe));
  return result;
}

std::string MustShell(const std::string& command, const std::string& input) {
  ShellResult result = Shell(command, input);
  INFO(command << "\n" << result.output);
  REQUIRE(result.exit_code == 0);
  return result.output;
}

bool Eventually(std::chrono::seconds deadline, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + deadline * Slowness();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

ShellResult Kubectl::Try(const std::string& arguments, const std::string& input) const {
  return Shell("kubectl --kubeconfig " + Quoted(kubeconfig_) + " " + arguments, input);
}

std::string Kubectl::Must(const std::string& arguments, const std::string& input) const {
  return MustShell("kubectl --kubeconfig " + Quoted(kubeconfig_) + " " + arguments, input);
}

nlohmann::json Kubectl::Get(const std::string& arguments) const {
  // Warnings of the client would spoil the JSON.
  const ShellResult result = Try("get " + arguments + " -o json --ignore-not-found 2>/dev/null");
  INFO(arguments << "\n" << result.output);
  REQUIRE(result.exit_code == 0);
  return result.output.empty() ? nlohmann::json() : nlohmann::json::parse(result.output);
}

Process::Process(std::vector<std::string> arguments, const std::string& log) : pid_(fork()) {
  REQUIRE(pid_ >= 0);
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(127);
}

Process::~Process() {
  if (reaped_) return;
  Signal(SIGKILL);
  Wait();
}

void Process::Signal(int number) { kill(pid_, number); }

int Process::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  reaped_ = true;
  return ExitCode(status);
}

bool Process::End(std::chrono::seconds deadline) {
  if (!reaped_) Signal(SIGTERM);
  return Eventually(deadline, [this] {
    int status = 0;
    reaped_ = reaped_ || waitpid(pid_, &status, WNOHANG) == pid_;
    return reaped_;
  });
}

TempDir::TempDir() {
  std::string pattern = "/tmp/shm-test-XXXXXX";
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDir::~TempDir() {
  [[maybe_unused]] const int ignored = system(("rm -rf " + Quoted(path_)).c_str());
}

// Below those that the kernel gives to connections: one of these could be taken by somebody's
// connection before a program listens there.
int FreePort() {
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<int> ports(20'000, 32'000);
  for (;;) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(ports(random)));
    const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (free) return ntohs(address.sin_port);
  }
}

}  // namespace shm::test
