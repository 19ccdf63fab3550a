// Runs programs as a person at a shell would, for the tiers that test what is really installed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shm::test {

struct ShellResult {
  int exit_code = -1;
  std::string output;  // stdout and stderr together, in the order they came
};

// Runs `command` by bash, in the repository's root; `input` becomes its standard input.
ShellResult Shell(const std::string& command, const std::string& input = "");

// The output of a command that must succeed; ends the test with the output where it does not.
std::string MustShell(const std::string& command, const std::string& input = "");

// Asks again, ten times a second, until `condition` holds or `deadline` has passed; says which.
// Where programs run under a sanitizer, $SHM_TEST_SLOWNESS multiplies the deadline.
bool Eventually(std::chrono::seconds deadline, const std::function<bool()>& condition);

// kubectl against the cluster of one test tier.
class Kubectl {
 public:
  explicit Kubectl(std::string kubeconfig) : kubeconfig_(std::move(kubeconfig)) {}

  ShellResult Try(const std::string& arguments, const std::string& input = "") const;
  std::string Must(const std::string& arguments, const std::string& input = "") const;
  // `kubectl get ... -o json`; null where there is no such object.
  nlohmann::json Get(const std::string& arguments) const;

 private:
  std::string kubeconfig_;
};

// A program of ours, running in the background; its output goes to `log`. Killed when it goes.
class Process {
 public:
  Process(std::vector<std::string> arguments, const std::string& log);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int number);
  int Wait();  // its exit code, 128 + signal where a signal ended it
  // Asks it by SIGTERM to end. False where it has not ended in time.
  bool End(std::chrono::seconds deadline);
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

// A folder that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A TCP port of 127.0.0.1 that was free a moment ago.
int FreePort();

}  // namespace shm::test
