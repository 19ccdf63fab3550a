// The values of an engine's flags as numbers; whatever cannot be used becomes a warning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine_args.h"

namespace shm {

inline constexpr std::int64_t kMostGib = 1 << 20;  // a PiB: more is a slip of the pen
inline constexpr int kMostDegree = 1024;

// A whole decimal number; blanks around it and a plus before it are allowed, as Python's int()
// allows them. Nothing for anything else, and out of 64 bits.
std::optional<std::int64_t> WholeNumber(const std::string& text);

// A finite decimal number, blanks around it allowed.
std::optional<double> DecimalNumber(const std::string& text);

// Reads the settings of one command, which must outlive it.
class SettingReader {
 public:
  SettingReader(const EngineCommand& command, std::vector<std::string>* warnings)
      : settings_(command.settings), warnings_(warnings) {}

  // Given at all, with a value that can be told or not.
  bool Has(Meaning meaning) const { return settings_.count(meaning) > 0; }
  // The value; empty where the flag is not given or could not be told.
  std::string Text(Meaning meaning) const;

  // Nothing where it is not given, could not be told, or is no such number (a warning then).
  std::optional<int> Degree(Meaning meaning);               // 1 to 1024
  std::optional<std::int64_t> WholeBytes(Meaning meaning);  // 0 or more
  std::optional<std::int64_t> GibInBytes(Meaning meaning);  // a decimal number of GiB

 private:
  const Setting* Given(Meaning meaning) const;
  void Refuse(const Setting& setting, const std::string& accepted);

  const std::map<Meaning, Setting>& settings_;
  std::vector<std::string>* warnings_;
};

}  // namespace shm
