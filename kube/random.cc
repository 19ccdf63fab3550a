#include "kube/random.h"

#include <random>

namespace shm::kube {

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) ^ device();
}

}  // namespace shm::kube
