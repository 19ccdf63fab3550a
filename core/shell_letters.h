// The letters of the shell's grammar, for shell_script.cc and shell_words.cc alone.
#pragma once

#include <cstddef>
#include <string_view>

namespace shm::shell {

inline constexpr std::size_t kMaxName = 256;

inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
inline bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
inline bool IsNamePart(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

// The length of the name that the text starts with, 0 for none.
inline std::size_t NameLength(std::string_view text) {
  if (text.empty() || !IsNameStart(text.front())) return 0;
  std::size_t length = 1;
  while (length < text.size() && IsNamePart(text[length])) ++length;
  return length;
}

// The length of NAME in "NAME=...", 0 where it is no assignment.
inline std::size_t AssignedName(std::string_view text) {
  const std::size_t length = NameLength(text.substr(0, kMaxName));
  return length > 0 && length < text.size() && text[length] == '=' ? length : 0;
}

}  // namespace shm::shell
