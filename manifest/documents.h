// The documents of a file or stream of manifests, one at a time, with the bytes they stood in.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "manifest/json.h"

namespace shm::manifest {

enum class Format { kYaml, kJson };

// All texts of a stream in a row are the stream, byte for byte.
struct Document {
  std::string file;      // as the user named it
  std::size_t line = 1;  // of the file, where `text` begins
  std::string text;      // its bytes, with a separator before it and comments
  std::size_t head = 0;  // bytes of `text` before the content: separator, comments, blank lines
  Format format = Format::kYaml;
  Json value;  // null where there is no content

  // "FILE:LINE: FIELD: message", with the line at which the field's value begins.
  Error Locate(const Error& error) const;
};

// Splits a stream as kubectl does: YAML at lines that begin with "---", JSON between values. Holds
// one document at a time (kMaxDocumentBytes); not thread-safe.
class DocumentReader {
 public:
  static constexpr std::size_t kMaxDocumentBytes = std::size_t{256} << 20;

  // Whether a stretch of text between two separators is worth being read.
  using Wanted = std::function<bool(std::string_view)>;

  // `in` must outlive it; `file` is for messages. What is not wanted is passed over, whatever it
  // is.
  DocumentReader(std::istream& in, std::string file, Wanted wanted = nullptr);

  // The next document; nothing at the end. After an Error, whose message names file and line, there
  // is nothing more to read.
  Result<std::optional<Document>> Next();

 private:
  Result<bool> ReadPart();
  Result<bool> ReadWantedPart();
  Document TakeFromPart(std::size_t size);

  std::istream& in_;
  const std::string file_;
  const Wanted wanted_;
  std::string part_;           // what stands between two separators, as far as it is not given out
  std::size_t part_line_ = 1;  // where part_ begins
  std::string separator_;      // a separator line that was read, and begins the next part
  bool ended_ = false;
};

}  // namespace shm::manifest
