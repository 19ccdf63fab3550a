// What the commands of shmctl share: where they read and write, how they end, how they are
// declared.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "core/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace shm::cli {

// Exit codes, a part of the interface: scripts tell a finding from a mistake by them.
inline constexpr int kDone = 0;
inline constexpr int kFinding = 1;   // the answer is one to act on; the command's help says which
inline constexpr int kBadInput = 2;  // nothing was done; stderr names the flag and the value

// Answers go to `out`, warnings and errors to `err`. The streams outlive the command.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

// An option with a text, which must not be empty: a flag without a value would read as not given.
CLI::Option* AddFlag(CLI::App* app, const std::string& name, std::string& into,
                     const std::string& help);

// Says what was wrong, and returns kBadInput.
int BadInput(const Streams& streams, const Error& error);

// A command as the program knows it: its part of the command line, and what runs once it is parsed.
// `app` is the program's own and lives as long as that.
struct Command {
  CLI::App* app = nullptr;
  std::function<int(const Streams&)> run;
};

}  // namespace shm::cli
