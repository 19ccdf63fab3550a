#include "core/base64.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace shm {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two letters for each twelve bits: half as many look-ups as letter by letter.
struct Letters {
  char text[2];
};
constexpr auto kPairs = [] {
  std::array<Letters, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {{kAlphabet[i >> 6], kAlphabet[i & 63]}};
  }
  return pairs;
}();

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

void AppendBase64(std::string_view bytes, std::string* text) {
  const std::size_t before = text->size();
  text->resize(before + (bytes.size() + 2) / 3 * 4, '=');
  char* out = text->data() + before;
  const auto byte = [&bytes](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[i]);
  };
  // Whole groups by themselves: nothing is asked of each letter.
  const std::size_t whole = bytes.size() / 3 * 3;
  for (std::size_t i = 0; i < whole; i += 3, out += 4) {
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    std::memcpy(out, &kPairs[group >> 12], 2);
    std::memcpy(out + 2, &kPairs[group & 4095], 2);
  }
  const std::size_t left = bytes.size() - whole;
  if (left == 0) return;
  const std::uint32_t group = byte(whole) << 16 | (left > 1 ? byte(whole + 1) << 8 : 0);
  for (std::size_t j = 0; j <= left; ++j) out[j] = kAlphabet[group >> (18 - 6 * j) & 63];
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, &text);
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Error{"", "is not base64"};
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::size_t padding = 0;
  if (text.size() >= 4) padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t missing = i + 4 == text.size() ? padding : 0;
    int group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const int value = j >= 4 - missing ? 0 : Base64Value(text[i + j]);
      if (value < 0) return Error{"", "is not base64"};
      group = group << 6 | value;
    }
    for (std::size_t j = 0; j < 3 - missing; ++j) {
      bytes += static_cast<char>(group >> (16 - 8 * j) & 0xFF);
    }
  }
  return bytes;
}

}  // namespace shm
