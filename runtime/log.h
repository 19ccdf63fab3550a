// Log lines on standard error: a constant message and key-value fields, as JSON or as text.
//
// Thread-safe. Messages are constants so that they can be counted and searched for; what varies is
// in the fields.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/result.h"

namespace shm::runtime {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kJson, kText };

Result<LogLevel> ParseLogLevel(std::string_view name);    // debug, info, warn, error
Result<LogFormat> ParseLogFormat(std::string_view name);  // json, text

// Refers to what it is made of: for the call of one of the functions below, no longer. A line that
// is not written costs no copy.
struct LogField {
  LogField(std::string_view its_key, std::string_view its_text) : key(its_key), text(its_text) {}
  LogField(std::string_view its_key, const char* its_text) : key(its_key), text(its_text) {}
  LogField(std::string_view its_key, const std::string& its_text) : key(its_key), text(its_text) {}
  LogField(std::string_view its_key, bool flag)
      : key(its_key), text(flag ? "true" : "false"), bare(true) {}
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> LogField(std::string_view its_key,
                                                                         Number its_number)
      : key(its_key), number(std::to_string(its_number)), bare(true) {}

  std::string_view value() const { return number.empty() ? text : number; }

  std::string_view key;
  std::string_view text;
  std::string number;
  bool bare = false;  // a number or a truth value: not quoted
};

// Once, early in main; before it, and without it, lines are JSON from info on.
void SetUpLog(LogLevel level, LogFormat format);

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
inline void LogDebug(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarn(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarn, message, fields);
}
inline void LogError(std::string_view message, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// What a line says after its time and level; Log without the output, for tests.
std::string FormatLogLine(LogFormat format, std::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace shm::runtime
