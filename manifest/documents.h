// The documents of a file or stream of manifests, one at a time, with the bytes they stood in.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "manifest/json.h"
#include "manifest/part_reader.h"

namespace shm::manifest {

enum class Format { kYaml, kJson };

// All texts of a stream in a row are the stream, byte for byte.
struct Document {
  std::string file;      // as the user named it
  std::size_t line = 1;  // of the file, where `text` begins
  std::string text;      // its bytes, with a separator before it and comments
  std::size_t head = 0;  // bytes of `text` before the content: separator, comments, blank lines
  Format format = Format::kYaml;
  bool first = false;  // the stream begins with it
  Json value;          // null where there is no content

  // The line of the file at which a field's value begins, or that of the nearest object around a
  // field that is missing; of the content, where `field` is empty.
  std::size_t LineOf(const std::string& field) const { return LinesOf({field}).front(); }
  // Of many fields, at the cost of one.
  std::vector<std::size_t> LinesOf(const std::vector<std::string>& fields) const;
  // "FILE:LINE: FIELD: message".
  Error Locate(const Error& error) const;
};

// Reads a stream document by document, as kubectl splits it (PartReader). Not thread-safe.
class DocumentReader {
 public:
  // Whether a part of the stream is worth being read, by its text.
  using Wanted = std::function<bool(std::string_view)>;

  // `in` must outlive it; `file` is for messages. What is not wanted is passed over, whatever it
  // is.
  DocumentReader(std::istream& in, std::string file, Wanted wanted = nullptr);

  // The next document; nothing at the end. After an Error, whose message names file and line, there
  // is nothing more to read.
  Result<std::optional<Document>> Next();
  // Whether nothing follows. May wait for the stream.
  bool AtEnd() { return parts_.AtEnd(); }

 private:
  Result<std::optional<Part>> NextPart();
  Result<std::optional<Document>> Fail(std::size_t line, const Error& error);

  PartReader parts_;
  const std::string file_;
  const Wanted wanted_;
  bool failed_ = false;
};

}  // namespace shm::manifest
