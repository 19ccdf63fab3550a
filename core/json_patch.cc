#include "core/json_patch.h"

namespace shm {
namespace {

void AppendEscaped(unsigned char c, std::string* out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      *out += "\\\"";
      break;
    case '\\':
      *out += "\\\\";
      break;
    case '\n':
      *out += "\\n";
      break;
    case '\r':
      *out += "\\r";
      break;
    case '\t':
      *out += "\\t";
      break;
    default:
      if (c < 0x20) {
        *out += "\\u00";
        *out += kHex[c >> 4];
        *out += kHex[c & 0xf];
      } else {
        *out += static_cast<char>(c);
      }
  }
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) AppendEscaped(static_cast<unsigned char>(c), &out);
  return out += '"';
}

std::string RenderPointer(const std::vector<std::string>& path) {
  std::string pointer;
  for (const std::string& token : path) {
    pointer += '/';
    for (const char c : token) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

std::string RenderJsonPatch(const Patch& patch) {
  std::string out = "[";
  for (const PatchOperation& operation : patch) {
    const bool add = operation.kind == PatchOperation::Kind::kAdd;
    if (out.size() > 1) out += ',';
    out += add ? R"({"op":"add","path":)" : R"({"op":"remove","path":)";
    out += JsonString(RenderPointer(operation.path));
    if (add) out += ",\"value\":" + operation.value;
    out += '}';
  }
  return out += ']';
}

}  // namespace shm
