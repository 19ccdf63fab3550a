#include "manifest/documents.h"

#include <istream>
#include <string_view>
#include <utility>

#include "manifest/json_reader.h"
#include "manifest/text_check.h"
#include "manifest/yaml_reader.h"

namespace shm::manifest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n";

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool IsSeparator(std::string_view line) { return StartsWith(line, "---"); }

// What may stand beside a separator: blanks and a comment.
bool IsBlankOrComment(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos || text[first] == '#';
}

std::size_t LineEnd(std::string_view text, std::size_t from) {
  const std::size_t end = text.find('\n', from);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// Bytes of the separator, comments and blank lines that the text begins with.
std::size_t HeadOf(std::string_view text) {
  std::size_t at = StartsWith(text, kByteOrderMark) ? kByteOrderMark.size() : 0;
  if (IsSeparator(text.substr(at))) at = LineEnd(text, at);
  while (at < text.size()) {
    const std::size_t end = LineEnd(text, at);
    if (!IsBlankOrComment(text.substr(at, end - at))) break;
    at = end;
  }
  return at;
}

Error At(const std::string& file, std::size_t line, const Error& error) {
  std::string place = file + (line > 0 ? ":" + std::to_string(line) : "");
  if (!error.field.empty()) place += ": " + error.field;
  return {std::move(place), error.message};
}

bool LooksLikeJson(std::string_view content) {
  const std::size_t first = content.find_first_not_of(kBlanks);
  return first != std::string_view::npos && content[first] == '{';
}

// Lines before `offset` of the text.
std::size_t LinesBefore(std::string_view text, std::size_t offset) {
  return LineAt(text, offset) - 1;
}

struct Content {
  ReadOutcome outcome;
  Format format = Format::kYaml;
  std::size_t size = 0;  // bytes of the text that it took
};

Content ReadContent(std::string_view text) {
  if (LooksLikeJson(text)) {
    Content json{Json(), Format::kJson, 0};
    json.outcome = ReadJson(text, &json.size);
    const auto* failure = std::get_if<ReadFailure>(&json.outcome);
    if (!failure || !failure->syntax) return json;
    // A flow mapping begins like JSON.
    Content yaml{ReadYaml(text), Format::kYaml, text.size()};
    return std::holds_alternative<Json>(yaml.outcome) ? yaml : json;
  }
  return {ReadYaml(text), Format::kYaml, text.size()};
}

}  // namespace

Error Document::Locate(const Error& error) const {
  const std::string_view content = std::string_view(text).substr(head);
  // JSON is YAML, as far as finding a field goes.
  const std::size_t found = error.field.empty() ? 0 : FindYamlField(content, error.field);
  const std::size_t within = found > 0 ? found - 1 : 0;
  return At(file, line + LinesBefore(text, head) + within, error);
}

DocumentReader::DocumentReader(std::istream& in, std::string file, Wanted wanted)
    : in_(in), file_(std::move(file)), wanted_(std::move(wanted)) {}

// Reads up to the next separator into part_. False at the end of the stream.
Result<bool> DocumentReader::ReadPart() {
  if (ended_) return false;
  part_ = std::exchange(separator_, "");
  std::size_t lines = part_.empty() ? 0 : 1;
  std::string line;
  while (std::getline(in_, line)) {
    if (!in_.eof()) line += '\n';
    if (IsSeparator(line)) {
      if (!IsBlankOrComment(std::string_view(line).substr(3))) {
        return At(file_, part_line_ + lines, {"", "only a comment may follow --- in its line"});
      }
      if (!part_.empty()) {
        separator_ = line;
        return true;
      }
    }
    part_ += line;
    ++lines;
    if (part_.size() > kMaxDocumentBytes) {
      return At(
          file_, part_line_,
          {"", "the document is longer than " + std::to_string(kMaxDocumentBytes) + " bytes"});
    }
  }
  ended_ = true;
  if (in_.bad()) return At(file_, 0, {"", "cannot be read"});
  return !part_.empty();
}

Result<bool> DocumentReader::ReadWantedPart() {
  for (;;) {
    const Result<bool> more = ReadPart();
    if (!more.ok() || !*more || !wanted_ || wanted_(part_)) return more;
    part_line_ += LinesBefore(part_, part_.size());
  }
}

// Takes the first `size` bytes of the part, and the blanks behind them if nothing else follows.
Document DocumentReader::TakeFromPart(std::size_t size) {
  if (part_.find_first_not_of(kBlanks, size) == std::string::npos) size = part_.size();
  Document document;
  document.file = file_;
  document.line = part_line_;
  document.text = part_.substr(0, size);
  part_line_ += LinesBefore(part_, size);
  part_.erase(0, size);
  return document;
}

Result<std::optional<Document>> DocumentReader::Next() {
  if (part_.empty()) {
    const Result<bool> more = ReadWantedPart();
    if (!more.ok()) return more.error();
    if (!*more) return std::optional<Document>();
  }
  const auto fail = [this](std::size_t before, const ReadFailure& failure) {
    const std::size_t line = failure.line > 0 ? failure.line - 1 : 0;
    part_.clear();
    ended_ = true;
    return At(file_, part_line_ + before + line, failure.error);
  };
  const std::size_t head = HeadOf(part_);
  const std::string_view content = std::string_view(part_).substr(head);
  const std::size_t before = LinesBefore(part_, head);
  if (const auto failure = CheckText(content)) return fail(before, *failure);
  auto [outcome, format, size] = ReadContent(content);
  if (const auto* failure = std::get_if<ReadFailure>(&outcome)) return fail(before, *failure);
  Document document = TakeFromPart(head + size);
  document.head = head;
  document.format = format;
  document.value = std::move(std::get<Json>(outcome));
  return std::optional<Document>(std::move(document));
}

}  // namespace shm::manifest
