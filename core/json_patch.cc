#include "core/json_patch.h"

namespace shm {
namespace {

// A letter that may not stand for itself.
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
      *out += "\\u00";
      *out += kHex[c >> 4];
      *out += kHex[c & 0xf];
  }
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  std::size_t from = 0;  // of what is written as it stands
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, from, at - from);
    AppendEscaped(c, &out);
    from = at + 1;
  }
  out.append(text, from);
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
