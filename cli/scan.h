// `shmctl scan`: which live pods have too little /dev/shm, and what the operator would give them.
#pragma once

#include "cli/command.h"

namespace shm::cli {

// Declares the command. It reads only, and ends with kFinding where some pod has too little.
Command AddScan(CLI::App& program);

}  // namespace shm::cli
