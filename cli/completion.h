// What a shell may offer while a command line of shmctl is typed, and how it is taught to ask.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/command.h"

namespace shm::cli {

// The first argument by which shells and kubectl ask; what follows are the words that were typed,
// the last of them (empty: none yet) being the one to complete.
inline constexpr const char* kCompleteWord = "__complete";

struct Completion {
  struct Candidate {
    std::string word;
    std::string help;
  };
  std::vector<Candidate> candidates;
  bool files = false;  // names of files fit, too
};

// From what the program declares: its commands, their options, the values that an option is checked
// against. An option whose type is PATH takes files. Pure.
Completion Complete(const CLI::App& program, const std::vector<std::string>& words);

// One candidate a line, with a tab before its help, and last ":0" where files fit, else ":4": as
// cobra's programs answer, which is what kubectl expects of a plugin's.
void WriteCompletion(const Completion& completion, std::ostream& out);

// `shmctl completion SHELL`: the script that a shell is to source.
Command AddCompletion(CLI::App& program);

}  // namespace shm::cli
