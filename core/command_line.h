// A container's command and args, as the commands that run in the end: the kubelet's $(NAME) is
// expanded, and the scripts of `sh -c` are read as a POSIX shell reads them (quotes, line
// continuations, $NAME and ${NAME:-default}, $((sums)), assignments, lists, here-documents), as far
// as that can be done without running anything.
//
// A variable that a script assigns on some of its paths only (if, case, a loop, after && or ||) has
// several values that it may have afterwards; each reading of the line takes one of them.
//
// Pure; scripts are cut at kMaxScriptBytes, and what all of it may expand to at kMaxReadBytes. Safe
// to call from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/pod_env.h"

namespace shm {

inline constexpr std::size_t kMaxScriptBytes = 256 * 1024;
// Bytes of words, each counted as kWordCost more, which is what it takes beside its text. Scripts
// that start scripts share it: a hundred letters could else become megabytes at every level.
inline constexpr std::size_t kMaxReadBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kWordCost = 32;

// One argument. `text` is its value; where it could not be told in full `unresolved` is the first
// reference that is to blame, as written ("$(TP)", "${TP}", "`nproc`"), and `text` still has it.
struct Word {
  std::string text;
  std::string unresolved;
  bool may_split = false;  // an unresolved word that may become any number of words
  bool known() const { return unresolved.empty(); }
};

// `mpirun OPTIONS` where that starts the shell whose script a command is of; null else.
using Launcher = std::shared_ptr<const std::vector<Word>>;

// One program with its arguments, assignments before it apart.
struct SimpleCommand {
  std::vector<Word> words;
  std::vector<std::pair<std::string, std::optional<std::string>>> assignments;
  Launcher launcher;
};

struct CommandLine {
  std::vector<SimpleCommand> commands;  // in the order they are written
  PodEnv env;                           // after the scripts' own assignments
  std::vector<std::string> warnings;
  std::size_t readings = 1;  // that there are: the most values of one variable, 1 to kMostReadings
};

inline constexpr std::size_t kMostReadings = 4;

// `reading`: which value is taken of those that a variable may have, in the order they are written
// and the last where it has no more. Variables with more than kMostReadings values are unknown.
// `room`: of kMaxReadBytes, what is left to several command lines that share it; null: all of it.
CommandLine ReadCommandLine(const std::vector<std::string>& command,
                            const std::vector<std::string>& args, PodEnv env,
                            std::size_t reading = 0, std::size_t* room = nullptr);

// mpirun and its like: programs that start others and have options with words of their own.
bool IsLauncher(std::string_view program);

// The last part of a path: the name that a program goes by.
std::string_view BaseName(std::string_view path);

}  // namespace shm
