// A list of settings and the places that they are read from. Private to config.cc.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/config.h"

namespace shm::runtime {

struct Setting {
  std::string flag;  // "size-per-gpu"
  std::string help;
  std::function<Result<void>(const std::string& text)> set;
  bool list = false;  // its text is items between commas; in the file it may be a sequence of them
};

// "size-per-gpu" in the other two spellings: sizePerGPU, SHM_OPERATOR_SIZE_PER_GPU.
std::string YamlKey(const std::string& flag);
std::string EnvironmentName(const std::string& flag);

// Sets every setting that some place names, the strongest last. The value is the help text where
// that, or the version, is asked for; else empty.
Result<std::string> ReadSettings(const std::string& program, const std::vector<Setting>& settings,
                                 const std::vector<std::string>& arguments,
                                 const Environment& environment);

}  // namespace shm::runtime
