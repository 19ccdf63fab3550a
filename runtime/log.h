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

struct LogField {
  LogField(std::string_view its_key, std::string_view text) : key(its_key), value(text) {}
  LogField(std::string_view its_key, const char* text) : key(its_key), value(text) {}
  LogField(std::string_view its_key, const std::string& text) : key(its_key), value(text) {}
  LogField(std::string_view its_key, bool flag)
      : key(its_key), value(flag ? "true" : "false"), bare(true) {}
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number> LogField(std::string_view its_key,
                                                                         Number number)
      : key(its_key), value(std::to_string(number)), bare(true) {}

  std::string_view key;
  std::string value;
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
