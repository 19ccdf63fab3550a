// `shmctl explain`: a log line in, its cause and cure out.
#pragma once

#include "cli/command.h"

namespace shm::cli {

// Declares the command. It ends with kFinding where the line is not known.
Command AddExplain(CLI::App& program);

}  // namespace shm::cli
