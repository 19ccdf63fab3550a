#include "manifest/part_reader.h"

#include <array>
#include <istream>

namespace shm::manifest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSeparator = "---";
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::size_t kNone = std::string_view::npos;

bool IsBlankOrComment(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  return first == kNone || text[first] == '#';
}

bool BeginsLikeJson(std::string_view line) {
  const std::size_t first = line.find_first_not_of(kBlanks);
  return first != kNone && line[first] == '{';
}

// Finds where a JSON object ends, by its brackets and quotes alone, over texts in a row.
class JsonEnd {
 public:
  // The offset behind the last bracket, or kNone.
  std::size_t Find(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (Closes(text[at])) return at + 1;
    }
    return kNone;
  }

 private:
  bool Closes(char c) {
    if (in_string_) {
      if (!escaped_ && c == '"') in_string_ = false;
      escaped_ = !escaped_ && c == '\\';
      return false;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    return (c == '}' || c == ']') && --depth_ <= 0;
  }

  long depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace

// The rest of the line that was read last, else the next line. False at the end of the stream.
bool PartReader::Fill() {
  if (at_ < line_.size()) return true;
  line_.clear();
  at_ = bom_ = 0;
  std::array<char, 8192> chunk;  // not std::getline: a line may never end
  while (line_.size() <= kMaxPartBytes) {
    in_.getline(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const auto count = static_cast<std::size_t>(in_.gcount());
    const bool ended = in_.good();  // then the line end was taken, and counted
    line_.append(chunk.data(), ended ? count - 1 : count);
    if (ended) line_ += '\n';
    if (ended || in_.eof() || in_.bad()) break;
    in_.clear();  // the chunk was too small
  }
  if (!begun_ && line_.starts_with(kByteOrderMark)) bom_ = kByteOrderMark.size();
  return !line_.empty();
}

bool PartReader::AtEnd() { return !Fill(); }

void PartReader::Take(std::size_t size, Part* part) {
  part->text.append(line_, at_, size);
  at_ += size;
  begun_ = true;
  if (line_[at_ - 1] == '\n') ++line_number_;
}

Result<void> PartReader::Read(Part* part, bool to_separator) {
  JsonEnd json_end;
  bool in_head = part->text.size() == part->head;
  bool ended = false;
  while (!ended && Fill()) {
    const std::size_t skipped = at_ == 0 ? bom_ : 0;
    const std::string_view line = Rest().substr(skipped);
    const bool separator = at_ == 0 && line.starts_with(kSeparator);
    if (separator && !IsBlankOrComment(line.substr(kSeparator.size()))) {
      return Error{"", "only a comment may follow --- in its line"};
    }
    if (separator && !part->text.empty()) return {};
    std::size_t size = Rest().size();
    if (in_head && (separator || IsBlankOrComment(line))) {
      part->head += size;
    } else {
      if (in_head) {
        part->head += skipped;
        part->json = BeginsLikeJson(line);
      }
      in_head = false;
      const std::size_t end = part->json && !to_separator ? json_end.Find(line) : kNone;
      ended = end != kNone;
      if (ended && !IsBlankOrComment(line.substr(end))) size = skipped + end;
    }
    Take(size, part);
    if (part->text.size() > kMaxPartBytes) {
      line_number_ = part->line;
      return Error{"", "the document is longer than " + std::to_string(kMaxPartBytes) + " bytes"};
    }
  }
  return in_.bad() ? Result<void>(Error{"", "cannot be read"}) : Result<void>();
}

Result<std::optional<Part>> PartReader::Next() {
  Part part;
  part.line = line_number_;
  part.first = !begun_;
  if (const auto read = Read(&part, false); !read.ok()) return read.error();
  return part.text.empty() ? std::optional<Part>() : std::optional<Part>(std::move(part));
}

Result<void> PartReader::ReadOn(Part* part) { return Read(part, true); }

}  // namespace shm::manifest
