// `shmctl check`: manifests in, findings out, for pipelines.
#pragma once

#include "cli/command.h"

namespace shm::cli {

Command AddCheck(CLI::App& program);

}  // namespace shm::cli
