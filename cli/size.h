// `shmctl size`: how large /dev/shm should be, the arithmetic, and how to say it to Kubernetes and
// to Docker.
#pragma once

#include "cli/command.h"

namespace shm::cli {

// Declares the command. It ends with kFinding where --max-size holds the size below the need.
Command AddSize(CLI::App& program);

}  // namespace shm::cli
