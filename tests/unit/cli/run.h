// Running shmctl as its tests do: words and standard input in, exit code and both outputs back.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"

namespace shm::cli {

using Words = std::vector<std::string>;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

inline Outcome RunWith(const Words& args, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(args, in, out, err);
  return {code, out.str(), err.str()};
}

inline bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace shm::cli
