#include "core/json_patch.h"

#include "core/plain_text.h"

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

void AppendPointer(const std::vector<std::string>& path, std::string* out) {
  for (const std::string& token : path) {
    *out += '/';
    std::size_t from = 0;  // of what is written as it stands
    for (std::size_t at = 0; at < token.size(); ++at) {
      if (token[at] != '~' && token[at] != '/') continue;
      out->append(token, from, at - from).append(token[at] == '~' ? "~0" : "~1");
      from = at + 1;
    }
    out->append(token, from);
  }
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    const std::size_t size = PlainSize(text);
    out->append(text.data(), size);
    text.remove_prefix(size);
    for (; !text.empty() && !IsPlain(text.front()); text.remove_prefix(1)) {
      const auto c = static_cast<unsigned char>(text.front());
      if (c < 0x80) {
        AppendEscaped(c, out);
      } else {
        *out += text.front();
      }
    }
  }
  *out += '"';
}

std::string JsonString(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  AppendJsonString(text, &out);
  return out;
}

std::string RenderPointer(const std::vector<std::string>& path) {
  std::string pointer;
  AppendPointer(path, &pointer);
  return pointer;
}

std::string RenderJsonPatch(const Patch& patch) {
  std::string out = "[";
  out.reserve(patch.size() * 128);
  std::string pointer;
  for (const PatchOperation& operation : patch) {
    const bool add = operation.kind == PatchOperation::Kind::kAdd;
    if (out.size() > 1) out += ',';
    out += add ? R"({"op":"add","path":)" : R"({"op":"remove","path":)";
    pointer.clear();
    AppendPointer(operation.path, &pointer);
    AppendJsonString(pointer, &out);
    if (add) out.append(",\"value\":").append(operation.value);
    out += '}';
  }
  return out += ']';
}

}  // namespace shm
