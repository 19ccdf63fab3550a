// What mpirun says of the engine that it starts.
#pragma once

#include <string>
#include <vector>

#include "core/engine_args.h"

namespace shm {

// mpirun -n N -H HOSTS, as Open MPI, MPICH and Slurm's srun spell it, among the first `end` words:
// the ranks, and the hosts as pods that they are spread over. Hosts that cannot be told make the
// command one with unread flags, since the ranks are not this pod's alone.
void ReadLauncher(const std::vector<Word>& words, std::size_t end, EngineCommand* result,
                  std::vector<std::string>* warnings);

}  // namespace shm
