#include "core/engine_values.h"

#include <charconv>
#include <cmath>

namespace shm {
namespace {

std::string Trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

}  // namespace

std::optional<std::int64_t> WholeNumber(const std::string& text) {
  std::string digits = Trimmed(text);
  if (digits.size() > 1 && digits.front() == '+' && digits[1] != '-') digits.erase(0, 1);
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<double> DecimalNumber(const std::string& text) {
  const std::string digits = Trimmed(text);
  double number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  const bool whole = !digits.empty() && error == std::errc() && stop == end;
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::string SettingReader::Text(Meaning meaning) const {
  const Setting* setting = Given(meaning);
  return setting == nullptr ? std::string() : *setting->value;
}

std::optional<int> SettingReader::Degree(Meaning meaning) {
  const Setting* setting = Given(meaning);
  if (setting == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = WholeNumber(*setting->value);
  if (number && *number >= 1 && *number <= kMostDegree) return static_cast<int>(*number);
  Refuse(*setting, "a whole number from 1 to 1024");
  return std::nullopt;
}

std::optional<std::int64_t> SettingReader::WholeBytes(Meaning meaning) {
  const Setting* setting = Given(meaning);
  if (setting == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = WholeNumber(*setting->value);
  if (number && *number >= 0) return number;
  Refuse(*setting, "a number of bytes");
  return std::nullopt;
}

std::optional<std::int64_t> SettingReader::GibInBytes(Meaning meaning) {
  const Setting* setting = Given(meaning);
  if (setting == nullptr) return std::nullopt;
  const std::optional<double> number = DecimalNumber(*setting->value);
  if (number && *number >= 0 && *number <= static_cast<double>(kMostGib)) {
    constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
    return static_cast<std::int64_t>(std::ceil(*number * kGib));
  }
  Refuse(*setting, "a number of GiB");
  return std::nullopt;
}

const Setting* SettingReader::Given(Meaning meaning) const {
  const auto found = settings_.find(meaning);
  return found == settings_.end() || !found->second.value ? nullptr : &found->second;
}

void SettingReader::Refuse(const Setting& setting, const std::string& accepted) {
  constexpr std::size_t kShownBytes = 40;
  warnings_->push_back(setting.spelling + "=" + setting.value->substr(0, kShownBytes) + " is not " +
                       accepted);
}

}  // namespace shm
