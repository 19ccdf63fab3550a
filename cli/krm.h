// `shmctl krm`: render as a KRM function, for kustomize and kpt.
//
// Contract: github.com/kubernetes-sigs/kustomize cmd/config/docs/api-conventions/functions-spec.md:
// a ResourceList on standard input, the same with changed items and with results on standard
// output.
#pragma once

#include "cli/command.h"

namespace shm::cli {

Command AddKrm(CLI::App& program);

}  // namespace shm::cli
