#include "core/engine_offload.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/engine_values.h"

namespace shm {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostBytes = kMostGib << 30;
constexpr int kMaxDepth = 4;                  // of MultiConnectors
constexpr std::size_t kMostText = 16 * 1024;  // a document may take sixty times its text

// The member of an object; null where there is none.
json Member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? json() : *found;
}

// vLLM takes a number or its text: int(value).
std::optional<std::int64_t> BytesIn(const json& value) {
  std::optional<std::int64_t> bytes;
  if (value.is_string()) bytes = WholeNumber(value.get_ref<const std::string&>());
  if (value.is_number_integer()) bytes = value.get<std::int64_t>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 0 && number <= static_cast<double>(kMostBytes)) {
      bytes = static_cast<std::int64_t>(number);
    }
  }
  return bytes && *bytes >= 0 && *bytes <= kMostBytes ? bytes : std::nullopt;
}

bool IsOwnSpec(const json& name) {
  return name.is_null() || name == "CPUOffloadingSpec" || name == "TieringOffloadingSpec";
}

void Add(const json& connector, int depth, OffloadConfig* config) {
  const json name = Member(connector, "kv_connector");
  const json extra = Member(connector, "kv_connector_extra_config");
  if (name == "MultiConnector" && depth < kMaxDepth) {
    const json connectors = Member(extra, "connectors");
    if (!connectors.is_array()) return;
    for (const json& one : connectors) Add(one, depth + 1, config);
  } else if (name == "OffloadingConnector" && IsOwnSpec(Member(extra, "spec_name"))) {
    const std::optional<std::int64_t> bytes = BytesIn(Member(extra, "cpu_bytes_to_use"));
    config->unclear = config->unclear || !bytes;
    config->bytes = std::min(kMostBytes, config->bytes + bytes.value_or(0));
  }
}

}  // namespace

bool SpeaksOfOffloading(std::string_view text) {
  constexpr std::string_view kWord = "offload";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), kWord.begin(), kWord.end(), same) != text.end();
}

OffloadConfig ReadOffloadConfig(std::string_view text) {
  OffloadConfig config;
  if (text.size() > kMostText) {
    config.unclear = SpeaksOfOffloading(text);
    return config;
  }
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  if (document.is_object()) {
    Add(document, 0, &config);
  } else {
    config.unclear = SpeaksOfOffloading(text);
  }
  return config;
}

}  // namespace shm
