// Random numbers for jitter; not for secrets.
#pragma once

#include <cstdint>

namespace shm::kube {

// A seed that differs between processes and objects.
std::uint64_t RandomSeed();

// The next number in [0, 1), from splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
// Number Generators, 2014). Not thread-safe for one state.
inline double NextRandom(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

}  // namespace shm::kube
