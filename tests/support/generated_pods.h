// Pods, InferenceServices and defaults at random, for property tests: mostly valid as the API
// server understands it, odd as users write it. The same seed makes the same ones.
//
// Invalid on purpose, since webhook and command line see such pods too: no name, a GPU in requests
// alone, and now and then memory that the pod's own resources do not hold.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "core/mutation.h"

namespace shm {

// $SHM_TEST_SEED, which repeats a run; else a random one.
unsigned TestSeed();

class PodGenerator {
 public:
  explicit PodGenerator(unsigned seed) : random_(seed) {}

  nlohmann::json Pod();
  std::vector<InferenceService> Services();
  InstallationDefaults Defaults();
  // The ResourceClaimTemplates that claims of the pods may name; those names are the same always.
  std::vector<ClaimTemplate> Templates();

 private:
  using Json = nlohmann::json;
  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  template <typename T>
  const T& Pick(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(Below(static_cast<int>(list.size())))];
  }

  Json Labels();
  Json Annotations();
  Json Metadata();
  Json PodResources();
  Json Volume(const std::string& name);
  Json Container(int number, bool init, const std::vector<std::string>& volumes);
  Json Mounts(const std::vector<std::string>& volumes);
  Json Resources();
  Json Claims();
  Json Env();
  void Command(Json& container);

  std::mt19937 random_;
  std::vector<std::string> memory_;  // what the containers of this pod may ask for
};

}  // namespace shm
