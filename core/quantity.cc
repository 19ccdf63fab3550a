#include "core/quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace shm {
namespace {

// Wide enough for a fraction of 18 digits times 2^60.
__extension__ typedef unsigned __int128 Wide;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// A number and how it is scaled: digits × 10^-scale, then × 10^exponent or × 2^shift.
struct Parts {
  std::string digits;  // no leading zeros; empty for zero
  int scale = 0;       // of digits, those behind the point
  int exponent = 0;
  int shift = 0;
  bool negative = false;
};

struct Suffix {
  std::string_view text;
  int exponent;
  int shift;
};

constexpr std::array<Suffix, 16> kSuffixes = {{{"", 0, 0},
                                               {"n", -9, 0},
                                               {"u", -6, 0},
                                               {"m", -3, 0},
                                               {"k", 3, 0},
                                               {"M", 6, 0},
                                               {"G", 9, 0},
                                               {"T", 12, 0},
                                               {"P", 15, 0},
                                               {"E", 18, 0},
                                               {"Ki", 0, 10},
                                               {"Mi", 0, 20},
                                               {"Gi", 0, 30},
                                               {"Ti", 0, 40},
                                               {"Pi", 0, 50},
                                               {"Ei", 0, 60}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "e3", "E-2": the exponent, held within what can still matter.
std::optional<int> ParseExponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(1);
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return std::nullopt;
  constexpr int kBound = 1'000'000;
  int value = 0;
  for (const char c : text) value = std::min(kBound, value * 10 + (c - '0'));
  return negative ? -value : value;
}

bool ParseSuffix(std::string_view text, Parts* parts) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != text) continue;
    parts->exponent = suffix.exponent;
    parts->shift = suffix.shift;
    return true;
  }
  const auto exponent = ParseExponent(text);
  if (!exponent) return false;
  parts->exponent = *exponent;
  return true;
}

// The digits that a text begins with, taken from it.
std::string_view TakeDigits(std::string_view* text) {
  std::size_t size = 0;
  while (size < text->size() && IsDigit((*text)[size])) ++size;
  const std::string_view digits = text->substr(0, size);
  text->remove_prefix(size);
  return digits;
}

std::optional<Parts> Split(std::string_view text) {
  // Longer ones are no number that anybody writes.
  constexpr std::size_t kLongest = 256;
  if (text.size() > kLongest) return std::nullopt;
  Parts parts;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const std::string_view whole = TakeDigits(&text);
  std::string_view fraction;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    fraction = TakeDigits(&text);
  }
  parts.scale = static_cast<int>(fraction.size());
  parts.digits.append(whole).append(fraction);
  parts.digits.erase(0, parts.digits.find_first_not_of('0'));
  if ((whole.empty() && fraction.empty()) || !ParseSuffix(text, &parts)) return std::nullopt;
  return parts;
}

// The whole part of digits, or nothing where it is beyond int64.
std::optional<std::int64_t> ReadDigits(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, c - '0', &value)) return std::nullopt;
  }
  return value;
}

bool AnyNonZero(std::string_view digits) {
  return digits.find_first_not_of('0') != std::string_view::npos;
}

// Digits whose point stands `whole` digits from the left, rounded up.
std::optional<std::int64_t> RoundUpAt(const std::string& digits, std::int64_t whole) {
  if (digits.empty()) return 0;
  const auto length = static_cast<std::int64_t>(digits.size());
  if (whole <= 0) return 1;
  if (whole > length + 19) return std::nullopt;
  std::string left = digits.substr(0, static_cast<std::size_t>(std::min(whole, length)));
  if (whole > length) left.append(static_cast<std::size_t>(whole - length), '0');
  auto value = ReadDigits(left);
  const bool rest = whole < length && AnyNonZero(digits.substr(static_cast<std::size_t>(whole)));
  if (value && rest && __builtin_add_overflow(*value, 1, &*value)) return std::nullopt;
  return value;
}

// What stands behind the point of a number with a binary suffix, rounded up.
Wide ShiftFraction(const Parts& parts) {
  constexpr std::size_t kExact = 18;  // digits that are multiplied; others only round
  constexpr Wide kPower = 1'000'000'000'000'000'000;
  const std::size_t length = parts.digits.size();
  const auto scale = static_cast<std::size_t>(parts.scale);
  std::string fraction(scale > length ? scale - length : 0, '0');
  fraction += parts.digits.substr(length > scale ? length - scale : 0);
  const bool rest = fraction.size() > kExact && AnyNonZero(fraction.substr(kExact));
  fraction.resize(kExact, '0');
  const Wide scaled = static_cast<Wide>(*ReadDigits(fraction)) << parts.shift;
  return scaled / kPower + (scaled % kPower != 0 || rest ? 1 : 0);
}

std::optional<std::int64_t> Shift(const Parts& parts) {
  const std::size_t length = parts.digits.size();
  const auto scale = static_cast<std::size_t>(parts.scale);
  const std::size_t split = length > scale ? length - scale : 0;
  const auto whole = ReadDigits(std::string_view(parts.digits).substr(0, split));
  if (!whole) return std::nullopt;
  Wide total = static_cast<Wide>(*whole) << parts.shift;
  if (scale > 0) total += ShiftFraction(parts);
  if (total > static_cast<Wide>(kMost)) return std::nullopt;
  return static_cast<std::int64_t>(total);
}

}  // namespace

Result<std::int64_t> ParseQuantity(std::string_view text) {
  const auto refuse = [text](const char* why) {
    return Error{"", "\"" + std::string(text.substr(0, 64)) + "\" " + why};
  };
  const auto parts = Split(text);
  if (!parts) {
    return refuse("is no quantity: a number with an optional suffix such as Mi, Gi, M or G is");
  }
  if (parts->negative && !parts->digits.empty()) return refuse("must not be negative");
  const auto length = static_cast<std::int64_t>(parts->digits.size());
  const auto value = parts->shift > 0
                         ? Shift(*parts)
                         : RoundUpAt(parts->digits, length - parts->scale + parts->exponent);
  if (!value) return refuse("is too large: at most 8Ei less one is accepted");
  return *value;
}

std::string CanonicalQuantity(std::string_view text) {
  constexpr std::size_t kMostDigits = 20;  // times 2^60 they fit
  const auto parts = Split(text);
  if (!parts || parts->digits.size() > kMostDigits) return std::string(text);
  if (parts->digits.empty()) return "0";
  Wide value = 0;
  for (const char c : parts->digits) value = value * 10 + static_cast<Wide>(c - '0');
  value <<= parts->shift;
  int exponent = parts->exponent - parts->scale;
  for (; value % 10 == 0; value /= 10) ++exponent;
  std::string digits;
  for (; value > 0; value /= 10) digits += static_cast<char>('0' + static_cast<int>(value % 10));
  std::reverse(digits.begin(), digits.end());
  return (parts->negative ? "-" : "") + digits + "e" + std::to_string(exponent);
}

std::string FormatBytes(std::int64_t bytes) {
  static constexpr std::array<std::string_view, 7> kUnits = {"",   "Ki", "Mi", "Gi",
                                                             "Ti", "Pi", "Ei"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + std::string(kUnits[unit]);
}

std::string FormatMebibytes(std::int64_t bytes) {
  return std::to_string(bytes / kMebibyte + (bytes % kMebibyte != 0 ? 1 : 0)) + "Mi";
}

std::int64_t AddSaturating(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kMost : sum;
}

std::int64_t MultiplySaturating(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kMost : product;
}

std::int64_t RoundUpToMebibyte(std::int64_t bytes) {
  const std::int64_t rest = bytes % kMebibyte;
  return rest == 0 ? bytes : AddSaturating(bytes, kMebibyte - rest);
}

}  // namespace shm
