#include "cli/document_writer.h"

#include <ostream>
#include <sstream>

#include "manifest/yaml_writer.h"

namespace shm::cli {
namespace {

using manifest::Document;
using manifest::Format;

std::string JsonText(const Document& document) {
  // One line stays one line.
  const std::string_view content = std::string_view(document.text).substr(document.head);
  const std::size_t last = content.find_last_not_of(" \t\r\n");
  const bool one_line = content.substr(0, last).find('\n') == std::string_view::npos;
  const bool compact = document.format == Format::kJson && one_line;
  return document.value.dump(compact ? -1 : 2) + "\n";
}

std::string YamlText(const Document& document) {
  std::ostringstream text;
  manifest::WriteYaml(document.value, text);
  return text.str();
}

// A line end inside of a string is escaped, or stands in a block that is read with "\n" either way.
std::string WithWindowsLineEnds(std::string_view text) {
  std::string windows;
  for (const char c : text) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return windows;
}

// The document in the wanted format; empty where it has nothing to say in it.
std::string TextOf(const Document& document, bool changed, Format format) {
  if (document.value.is_null() && format != document.format) return "";
  if (!changed && format == document.format) return document.text;
  const std::string text = format == Format::kJson ? JsonText(document) : YamlText(document);
  if (format != document.format) return text;
  const bool windows = document.text.find("\r\n") != std::string::npos;
  return document.text.substr(0, document.head) + (windows ? WithWindowsLineEnds(text) : text);
}

}  // namespace

void DocumentWriter::Write(const Document& document, bool changed) {
  const Format format = output_ == Output::kJson   ? Format::kJson
                        : output_ == Output::kYaml ? Format::kYaml
                                                   : document.format;
  const std::string text = TextOf(document, changed, format);
  if (text.empty()) return;
  const bool goes_on = output_ == Output::kAsRead && !document.first;
  if (!goes_on && !first_) Separate(text, format);
  held_ += text;
  first_ = false;
  last_byte_ = text.back();
  last_format_ = format;
  if (begun_ || held_.size() > kHeldBytes) Finish();
}

// Documents of one stream bring what separates them. Others need it.
void DocumentWriter::Separate(const std::string& text, Format format) {
  if (last_byte_ != '\n') held_ += '\n';
  const bool yaml = format == Format::kYaml || last_format_ == Format::kYaml;
  if (yaml && !text.starts_with("---")) held_ += "---\n";
}

bool DocumentWriter::Finish() {
  if (!held_.empty()) begun_ = true;
  out_ << held_;
  held_.clear();
  out_.flush();
  return out_.good();
}

}  // namespace shm::cli
