#include "manifest/scalar.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "core/base64.h"
#include "core/utf8.h"

namespace shm::manifest {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

template <std::size_t N>
bool Among(const std::array<std::string_view, N>& words, std::string_view text) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> kTrue = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                    "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse = {"n",     "N",     "no",  "No",  "NO", "false",
                                                     "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> kNull = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> kNotFinite = {".nan",  ".NaN",  ".NAN",  ".inf",
                                                         ".Inf",  ".INF",  "+.inf", "+.Inf",
                                                         "+.INF", "-.inf", "-.Inf", "-.INF"};

std::string WithoutUnderscores(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return plain;
}

// The base that a number's prefix names, which is taken off: 0x, 0o, 0b, or a 0 alone for octal.
int TakeBase(std::string_view* digits) {
  if (digits->size() < 2 || digits->front() != '0') return 10;
  const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>((*digits)[1])));
  const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
  digits->remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

// As Go's strconv.ParseInt and ParseUint read it in base 0, without underscores.
std::optional<Json> WholeNumber(std::string_view text) {
  const bool signed_text = !text.empty() && (text.front() == '+' || text.front() == '-');
  const bool negative = signed_text && text.front() == '-';
  std::string_view digits = text.substr(signed_text ? 1 : 0);
  const int base = TakeBase(&digits);
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (negative) {
    if (magnitude > kMost + 1) return std::nullopt;
    return Json(static_cast<std::int64_t>(0 - magnitude));
  }
  if (magnitude <= kMost) return Json(static_cast<std::int64_t>(magnitude));
  if (signed_text) return std::nullopt;         // ParseUint takes no sign
  return Json(static_cast<double>(magnitude));  // the API's objects know no unsigned number
}

std::size_t SkipDigits(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  return at;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool LooksLikeFloat(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t whole = SkipDigits(text, at);
  std::size_t end = whole;
  if (whole < text.size() && text[whole] == '.') end = SkipDigits(text, whole + 1);
  if (whole == at && end <= whole + 1) return false;  // no digit at all
  at = end;
  if (at == text.size()) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  return at < text.size() && SkipDigits(text, at) == text.size();
}

// Go writes a float without a fraction as a whole number.
Json FromDouble(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  const bool whole = value == std::trunc(value) && value >= -kLimit && value < kLimit;
  if (!whole || (value == 0 && std::signbit(value))) return value;
  return static_cast<std::int64_t>(value);
}

std::optional<Json> FloatingNumber(const std::string& text) {
  if (!LooksLikeFloat(text)) return std::nullopt;
  const double value = std::strtod(text.c_str(), nullptr);
  if (!std::isfinite(value)) return std::nullopt;  // out of range: a string, as in Go
  return FromDouble(value);
}

bool StartsLikeNumber(char c) { return c == '+' || c == '-' || (c >= '0' && c <= '9'); }

std::string_view NameOf(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "int";
    case Json::value_t::number_float:
      return "float";
    default:
      return "str";
  }
}

// Bytes as encoding/json writes them into a string: each that is no UTF-8 as U+FFFD.
std::string AsText(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t size = CharacterSize(bytes, 0);
    text += size == 0 ? std::string_view("\xEF\xBF\xBD") : bytes.substr(0, size);
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

}  // namespace

std::optional<Json> TypeOf(std::string_view plain) {
  if (Among(kTrue, plain)) return Json(true);
  if (Among(kFalse, plain)) return Json(false);
  if (Among(kNull, plain)) return Json(nullptr);
  if (Among(kNotFinite, plain)) return std::nullopt;
  std::optional<Json> number;
  if (StartsLikeNumber(plain.front())) {
    const std::string digits = WithoutUnderscores(plain);
    number = WholeNumber(digits);
    if (!number) number = FloatingNumber(digits);
  } else if (plain.front() == '.') {
    number = FloatingNumber(std::string(plain));
  }
  return number ? *number : Json(plain);
}

Result<Json> TypeOfTagged(std::string_view tag, const std::string& text) {
  if (tag.substr(0, kTagPrefix.size()) != kTagPrefix) return Json(text);
  const std::string_view name = tag.substr(kTagPrefix.size());
  if (name == "binary") {
    std::string letters = text;
    std::erase_if(letters, [](char c) { return c == '\n' || c == '\r'; });
    const auto bytes = DecodeBase64(letters);
    if (!bytes) return Error{"", "!!binary must be base64"};
    return Json(AsText(*bytes));
  }
  const bool known = name == "int" || name == "float" || name == "bool" || name == "null";
  if (!known) return Json(text);
  const auto typed = TypeOf(text);
  const bool fits = typed && (NameOf(*typed) == name || (name == "float" && typed->is_number()));
  if (!fits) return Error{"", "\"" + text.substr(0, 64) + "\" is no !!" + std::string(name)};
  return *typed;
}

std::optional<std::string> KeyOf(const Json& typed) {
  if (typed.is_null()) return std::nullopt;
  if (typed.is_string()) return typed.get<std::string>();
  if (!typed.is_number_float()) return typed.dump();
  // In 32 bits, as sigs.k8s.io/yaml writes such a key.
  std::array<char, 32> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), typed.get<float>()).ptr;
  return std::string(digits.data(), end);
}

}  // namespace shm::manifest
