// shmctl: what the operator decides, for people, without a cluster.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace shm::cli {

// Runs one command. `args` as main() has them, without the program's name. Returns the exit code
// (cli/command.h). What cannot be understood leaves `out` empty. Touches nothing but the streams;
// safe from several threads when they share none.
int Run(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
        std::ostream& err);

}  // namespace shm::cli
