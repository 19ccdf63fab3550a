// `shmctl render`: manifests in, the same manifests with sized pods out.
#pragma once

#include "cli/command.h"

namespace shm::cli {

Command AddRender(CLI::App& program);

}  // namespace shm::cli
