#include "manifest/documents.h"

#include <istream>
#include <string_view>
#include <utility>

#include "manifest/json_reader.h"
#include "manifest/text_check.h"
#include "manifest/yaml_reader.h"

namespace shm::manifest {
namespace {

Error At(const std::string& file, std::size_t line, const Error& error) {
  std::string place = file + (line > 0 ? ":" + std::to_string(line) : "");
  if (!error.field.empty()) place += ": " + error.field;
  return {std::move(place), error.message};
}

// Lines before `offset` of the text.
std::size_t LinesBefore(std::string_view text, std::size_t offset) {
  return LineAt(text, offset) - 1;
}

// The field around a field; empty for one at the top.
std::string ParentOf(const std::string& field) {
  const std::size_t last = field.find_last_of(".[");
  return field.substr(0, last == std::string::npos ? 0 : last);
}

// Lines before the field's value, or before the nearest one around it that is there.
std::size_t LineWithin(const FieldLines& lines, const std::string& field) {
  for (std::string at = field; !at.empty(); at = ParentOf(at)) {
    if (const std::size_t found = lines.at(at); found > 0) return found - 1;
  }
  return 0;
}

struct Content {
  ReadOutcome outcome;
  Format format = Format::kYaml;
};

std::string_view ContentOf(const Part& part) {
  return std::string_view(part.text).substr(part.head);
}

// A flow mapping may begin like JSON; which of the two was meant is told by the quote of the first
// key.
bool MeansJson(std::string_view content) {
  const std::size_t key = content.find_first_not_of(" \t\r\n", content.find('{') + 1);
  return key == std::string_view::npos || content[key] == '"' || content[key] == '}';
}

// May take more of the stream into the part, where that is no JSON.
Result<Content> ReadContent(PartReader* parts, Part* part) {
  std::optional<ReadFailure> no_json;
  if (part->json) {
    Content json{ReadJson(ContentOf(*part)), Format::kJson};
    const auto* failure = std::get_if<ReadFailure>(&json.outcome);
    if (!failure || !failure->syntax) return json;
    no_json = *failure;
    if (const auto more = parts->ReadOn(part); !more.ok()) return more.error();
    if (const auto bad = CheckText(ContentOf(*part))) return Content{*bad, Format::kYaml};
  }
  Content yaml{ReadYaml(ContentOf(*part)), Format::kYaml};
  const bool good = std::holds_alternative<Json>(yaml.outcome);
  if (!good && no_json && MeansJson(ContentOf(*part))) return Content{*no_json, Format::kJson};
  return yaml;
}

}  // namespace

std::vector<std::size_t> Document::LinesOf(const std::vector<std::string>& fields) const {
  FieldLines wanted;
  for (const std::string& field : fields) {
    for (std::string at = field; !at.empty(); at = ParentOf(at)) wanted.emplace(at, 0);
  }
  // JSON is YAML, as far as finding a field goes.
  const FieldLines found =
      wanted.empty() ? wanted : FindYamlFields(std::string_view(text).substr(head), wanted);
  const std::size_t begin = line + LinesBefore(text, head);
  std::vector<std::size_t> lines;
  for (const std::string& field : fields) lines.push_back(begin + LineWithin(found, field));
  return lines;
}

Error Document::Locate(const Error& error) const { return At(file, LineOf(error.field), error); }

DocumentReader::DocumentReader(std::istream& in, std::string file, Wanted wanted)
    : parts_(in), file_(std::move(file)), wanted_(std::move(wanted)) {}

Result<std::optional<Part>> DocumentReader::NextPart() {
  for (;;) {
    Result<std::optional<Part>> part = parts_.Next();
    if (!part.ok() || !*part || !wanted_ || wanted_((*part)->text)) return part;
  }
}

Result<std::optional<Document>> DocumentReader::Fail(std::size_t line, const Error& error) {
  failed_ = true;
  return At(file_, line, error);
}

Result<std::optional<Document>> DocumentReader::Next() {
  if (failed_) return std::optional<Document>();
  Result<std::optional<Part>> next = NextPart();
  if (!next.ok()) return Fail(parts_.line(), next.error());
  if (!*next) return std::optional<Document>();
  Part& part = **next;
  if (const auto failure = CheckText(part.text)) {
    return Fail(part.line + failure->line - 1, failure->error);
  }
  Result<Content> content = ReadContent(&parts_, &part);
  if (!content.ok()) return Fail(parts_.line(), content.error());
  if (const auto* failure = std::get_if<ReadFailure>(&content->outcome)) {
    const std::size_t within = failure->line > 0 ? failure->line - 1 : 0;
    return Fail(part.line + LinesBefore(part.text, part.head) + within, failure->error);
  }
  Document document;
  document.file = file_;
  document.line = part.line;
  document.text = std::move(part.text);
  document.head = part.head;
  document.format = content->format;
  document.first = part.first;
  document.value = std::move(std::get<Json>(content->outcome));
  return std::optional<Document>(std::move(document));
}

}  // namespace shm::manifest
