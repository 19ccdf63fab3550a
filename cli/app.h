// shmctl: what the operator decides, for people, without a cluster.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace shm::cli {

// Runs one command. `args` as main() has them, without the program's name. Returns the exit code
// (cli/command.h). What cannot be understood leaves `out` empty. Touches nothing but the streams;
// safe from several threads when they share none. `name`: of the program, in its help.
int Run(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
        std::ostream& err, const std::string& name = "shmctl");

// The same by the name that the program was started by, as main() has it: as `kubectl-shm` it is
// kubectl's plugin, and as `kubectl_complete-shm` it answers what kubectl asks to complete
// `kubectl shm`.
int RunAs(const std::string& path, std::vector<std::string> args, std::istream& in,
          std::ostream& out, std::ostream& err);

}  // namespace shm::cli
