#include "runtime/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

namespace shm::runtime {
namespace {

constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";

std::atomic<LogFormat> chosen_format{LogFormat::kJson};

std::shared_ptr<spdlog::logger> MakeLogger() {
  auto logger =
      std::make_shared<spdlog::logger>("shm", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(kJsonPattern, spdlog::pattern_time_type::utc));
  return logger;
}

// Never destroyed: threads may log until the very end.
spdlog::logger& Logger() {
  static auto* const logger = new std::shared_ptr<spdlog::logger>(MakeLogger());
  return **logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

// Values come from outside: whatever they hold, a line stays one line of valid JSON.
std::string Quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string AsText(const LogField& field) {
  const std::string_view value = field.value();
  const bool plain = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return c > ' ' && c != '"' && c != '\\'; });
  return field.bare || (plain && !value.empty()) ? std::string(value) : Quoted(value);
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return Error{"", "\"" + std::string(name) + "\" is none of debug, info, warn, error"};
}

Result<LogFormat> ParseLogFormat(std::string_view name) {
  if (name == "json") return LogFormat::kJson;
  if (name == "text") return LogFormat::kText;
  return Error{"", "\"" + std::string(name) + "\" is neither json nor text"};
}

void SetUpLog(LogLevel level, LogFormat format) {
  chosen_format = format;
  Logger().set_level(ToSpdlog(level));
  Logger().set_formatter(std::make_unique<spdlog::pattern_formatter>(
      format == LogFormat::kJson ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  const std::string line = FormatLogLine(chosen_format, message, fields);
  Logger().log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string FormatLogLine(LogFormat format, std::string_view message,
                          std::initializer_list<LogField> fields) {
  if (format == LogFormat::kText) {
    std::string line(message);
    for (const LogField& field : fields) line += " " + std::string(field.key) + "=" + AsText(field);
    return line;
  }
  std::string line = "\"message\":" + Quoted(message);
  for (const LogField& field : fields) {
    line += "," + Quoted(field.key) + ":" +
            (field.bare ? std::string(field.value()) : Quoted(field.value()));
  }
  return line;
}

}  // namespace shm::runtime
