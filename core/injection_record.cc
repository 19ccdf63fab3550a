#include "core/injection_record.h"

#include <nlohmann/json.hpp>

#include "core/json_patch.h"
#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

void AddText(const char* key, const std::optional<std::string>& text, std::string* out) {
  if (text) *out += ",\"" + std::string(key) + "\":" + JsonString(*text);
}

std::string WriteRaised(const RaisedMemory& raised) {
  std::string out = R"({"bytes":)" + std::to_string(raised.bytes);
  if (!raised.container.empty()) AddText("container", raised.container, &out);
  AddText("limit", raised.limit, &out);
  AddText("request", raised.request, &out);
  AddText("podLimit", raised.pod_limit, &out);
  AddText("podRequest", raised.pod_request, &out);
  return out + "}";
}

std::optional<std::string> Text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::int64_t Number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return 0;
  return found->get<std::int64_t>();
}

std::optional<RaisedMemory> ReadRaised(const json& record) {
  const auto found = record.find("raised");
  if (found == record.end() || !found->is_object()) return std::nullopt;
  RaisedMemory raised;
  raised.container = Text(*found, "container").value_or("");
  raised.bytes = Number(*found, "bytes");
  if (raised.bytes <= 0) return std::nullopt;
  raised.limit = Text(*found, "limit");
  raised.request = Text(*found, "request");
  raised.pod_limit = Text(*found, "podLimit");
  raised.pod_request = Text(*found, "podRequest");
  return raised;
}

}  // namespace

bool InjectionRecord::SameNumbers(const InjectionRecord& other) const {
  return size == other.size && gpus == other.gpus && raised == other.raised;
}

std::string WriteInjection(const InjectionRecord& record) {
  std::string out = R"({"version":1)";
  if (record.size) out += ",\"size\":" + JsonString(FormatBytes(*record.size));
  out += ",\"gpus\":" + std::to_string(record.gpus);
  if (!record.arithmetic.empty()) out += ",\"arithmetic\":" + JsonString(record.arithmetic);
  if (!record.reasons.empty()) {
    out += ",\"reasons\":[";
    for (const std::string& reason : record.reasons) {
      if (out.back() != '[') out += ',';
      out += JsonString(reason);
    }
    out += ']';
  }
  if (record.raised) out += ",\"raised\":" + WriteRaised(*record.raised);
  return out + "}";
}

std::optional<InjectionRecord> ReadInjection(std::string_view text) {
  // All annotations of a pod together have no more. What nests deeper than a record is left out:
  // it would take sixty times its text.
  constexpr std::size_t kMostText = 256 * 1024;
  constexpr int kMostDepth = 3;
  if (text.size() > kMostText) return std::nullopt;
  const auto keep = [](int depth, json::parse_event_t, json&) { return depth <= kMostDepth; };
  const json object = json::parse(text, keep, /*allow_exceptions=*/false);
  if (!object.is_object() || Number(object, "version") < 1) return std::nullopt;
  InjectionRecord record;
  if (const auto size = Text(object, "size")) {
    const auto bytes = ParseQuantity(*size);
    if (!bytes.ok()) return std::nullopt;
    record.size = *bytes;
  }
  const std::int64_t gpus = Number(object, "gpus");
  record.gpus = gpus >= 0 && gpus <= 1024 ? static_cast<int>(gpus) : 0;
  record.arithmetic = Text(object, "arithmetic").value_or("");
  if (const auto reasons = object.find("reasons"); reasons != object.end() && reasons->is_array()) {
    for (const json& reason : *reasons) {
      if (reason.is_string()) record.reasons.push_back(reason.get<std::string>());
    }
  }
  record.raised = ReadRaised(object);
  return record;
}

}  // namespace shm
