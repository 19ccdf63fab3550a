#include "manifest/text_check.h"

#include <algorithm>
#include <string>

#include "core/utf8.h"

namespace shm::manifest {
namespace {

std::string Hex(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

}  // namespace

std::size_t LineAt(std::string_view text, std::size_t offset) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

std::optional<ReadFailure> CheckText(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = CharacterSize(text, at);
    if (size == 0 || IsControl(text[at])) {
      const std::string what = size == 0 ? " is no UTF-8" : " is a control character";
      return ReadFailure{LineAt(text, at),
                         {"", "byte " + Hex(static_cast<unsigned char>(text[at])) + what}};
    }
    at += size;
  }
  return std::nullopt;
}

}  // namespace shm::manifest
