#include "manifest/yaml_writer.h"

#include <algorithm>
#include <ostream>

#include "manifest/scalar.h"

namespace shm::manifest {
namespace {

// Readers look no further than 1024 characters for the colon behind a key (YAML 1.1, 7.4.2).
constexpr std::size_t kMaxSimpleKey = 1000;

constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";

// The character that starts at `at` must be escaped: controls, what YAML 1.1 takes for a line end
// or a byte order mark, and what is no character. `size`: its bytes, where it is one of the latter.
bool MustEscape(std::string_view text, std::size_t at, std::size_t* size) {
  const auto byte = static_cast<unsigned char>(text[at]);
  *size = 1;
  if (byte < 0x20 || byte == 0x7F) return true;
  if (byte == 0xC2 && at + 1 < text.size()) {
    *size = 2;
    return static_cast<unsigned char>(text[at + 1]) < 0xA0;
  }
  const std::string_view three = text.substr(at, 3);
  *size = 3;
  return three == "\xE2\x80\xA8" || three == "\xE2\x80\xA9" || three == "\xEF\xBB\xBF" ||
         three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF";
}

bool NeedsEscapes(std::string_view text, std::string_view allowed) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::size_t size = 0;
    if (MustEscape(text, at, &size) && allowed.find(text[at]) == std::string_view::npos)
      return true;
  }
  return false;
}

// A double-quoted scalar. A JSON string would do but for what JSON leaves unescaped.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 0;
    if (!MustEscape(text, at, &size)) {
      if (text[at] == '"' || text[at] == '\\') quoted += '\\';
      quoted += text[at++];
      continue;
    }
    // nlohmann escapes in \u form what is no ASCII, and in the short forms what has one.
    const std::string escaped = Json(text.substr(at, size)).dump(-1, ' ', true);
    quoted += text[at] == 0x7F ? "\\x7f" : escaped.substr(1, escaped.size() - 2);
    at += size;
  }
  return quoted + '"';
}

// Looks like a number or a date in base 60 or an older YAML: other readers may type it.
bool LooksTyped(std::string_view text) {
  const auto typed = TypeOf(text);
  if (!typed || !typed->is_string()) return true;
  const bool numeric = text.find_first_not_of("0123456789+-.:_eETZ ") == std::string_view::npos &&
                       text.find_first_of("0123456789") != std::string_view::npos;
  return numeric || text == "=" || text == "<<";
}

std::string Indent(int depth) { return std::string(static_cast<std::size_t>(depth) * 2, ' '); }

// Several lines that read back as they are in a literal block: they end with one line end, and no
// line's blanks could be lost.
bool FitsBlock(std::string_view text) {
  if (text.size() < 3 || text.back() != '\n' || text[text.size() - 2] == '\n') return false;
  if (text.front() == ' ' || text.front() == '\n' || text.front() == '\t') return false;
  if (std::count(text.begin(), text.end(), '\n') < 2) return false;
  return !NeedsEscapes(text, "\n\t");
}

class Writer {
 public:
  explicit Writer(std::ostream& out) : out_(out) {}

  // After "key:" or "-", or at the start of a document. `depth` is the indentation of what follows
  // in lines of its own.
  void Value(const Json& value, int depth, bool after_key) {
    if (value.is_object() && !value.empty()) {
      if (after_key) out_ << '\n';
      Members(value, depth, after_key);
    } else if (value.is_array() && !value.empty()) {
      if (after_key) out_ << '\n';
      Elements(value, after_key ? depth - 1 : depth, after_key);
    } else {
      if (after_key) out_ << ' ';
      Scalar(value, depth);
      out_ << '\n';
    }
  }

  // The first line may stand behind a "- ".
  void Members(const Json& object, int depth, bool indent_first) {
    for (auto member = object.begin(); member != object.end(); ++member) {
      if (indent_first || member != object.begin()) out_ << Indent(depth);
      Key(Text(member.key()), depth);
      Value(member.value(), depth + 1, true);
    }
  }

  void Elements(const Json& list, int depth, bool indent_first) {
    for (auto element = list.begin(); element != list.end(); ++element) {
      if (indent_first || element != list.begin()) out_ << Indent(depth);
      out_ << "- ";
      Value(*element, depth + 1, false);
    }
  }

 private:
  void Key(const std::string& key, int depth) {
    if (key.size() <= kMaxSimpleKey) {
      out_ << key << ':';
    } else {
      out_ << "? " << key << '\n' << Indent(depth) << ':';
    }
  }

  void Scalar(const Json& value, int depth) {
    if (!value.is_string()) {
      out_ << value.dump();
      return;
    }
    const auto& text = value.get_ref<const std::string&>();
    // A block is told by its indentation: at the top there is none.
    if (depth > 0 && FitsBlock(text)) {
      Block(text, depth);
    } else {
      out_ << Text(text);
    }
  }

  static std::string Text(const std::string& text) {
    if (IsPlain(text)) return text;
    const bool single_quotes = text.find('"') != std::string::npos &&
                               text.find('\'') == std::string::npos && !NeedsEscapes(text, "");
    return single_quotes ? "'" + text + "'" : Quoted(text);  // JSON inside of YAML stays legible
  }

  void Block(std::string_view text, int depth) {
    out_ << '|';
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      out_ << '\n';
      if (end > 0) out_ << Indent(depth) << text.substr(0, end);
      text.remove_prefix(end + 1);
    }
  }

  std::ostream& out_;
};

}  // namespace

bool IsPlain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (NeedsEscapes(text, "") || text.substr(0, 3) == "...") return false;
  // A dash and a question mark are indicators only before a blank; told apart where it is common.
  const bool flag =
      text.size() > 1 && text[0] == '-' && text[1] != ' ' && text.substr(0, 3) != "---";
  if (!flag && kIndicators.find(text.front()) != std::string_view::npos) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) {
    return false;
  }
  return !LooksTyped(text);
}

void WriteYaml(const Json& value, std::ostream& out) { Writer(out).Value(value, 0, false); }

}  // namespace shm::manifest
