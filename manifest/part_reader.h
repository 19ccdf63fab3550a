// Splits a stream of manifests into the stretches that are one document each.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace shm::manifest {

// What stands between two separators, or a JSON value and the rest of its line if that is blank.
struct Part {
  std::string text;      // with a separator before it and comments
  std::size_t line = 1;  // of the stream, where `text` begins
  std::size_t head = 0;  // bytes of `text` before the content: separator, comments, blank lines
  bool first = false;    // the stream begins with it
  bool json = false;     // the content begins like a JSON object
};

// Reads as kubectl splits: at lines that begin with "---", JSON also between values. All texts in a
// row are the stream, byte for byte. Holds one part at a time; not thread-safe.
class PartReader {
 public:
  static constexpr std::size_t kMaxPartBytes = std::size_t{256} << 20;

  // `in` must outlive it.
  explicit PartReader(std::istream& in) : in_(in) {}

  // The next part; nothing at the end. An Error's field is empty; line() says where it is.
  Result<std::optional<Part>> Next();
  // Goes on with a part that ended where a JSON value seemed to: up to the next separator.
  Result<void> ReadOn(Part* part);
  // The line of the stream that is read next.
  std::size_t line() const { return line_number_; }
  // Whether nothing follows. May wait for the stream.
  bool AtEnd();

 private:
  Result<void> Read(Part* part, bool to_separator);
  bool Fill();
  std::string_view Rest() const { return std::string_view(line_).substr(at_); }
  void Take(std::size_t size, Part* part);

  std::istream& in_;
  std::string line_;     // the line that was read last, with its end
  std::size_t at_ = 0;   // how much of it was given out
  std::size_t bom_ = 0;  // bytes of a byte order mark that line_ begins with
  std::size_t line_number_ = 1;
  bool begun_ = false;
};

}  // namespace shm::manifest
