// What the tests of the engines' command lines share.
#pragma once

#include <string>
#include <vector>

namespace shm {

using Strings = std::vector<std::string>;

// For a failing case: the words, each in brackets.
inline std::string Joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += "[" + word + "] ";
  return text;
}

}  // namespace shm
