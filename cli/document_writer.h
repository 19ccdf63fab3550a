// Writes documents as they came, or as they were changed.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "manifest/documents.h"

namespace shm::cli {

enum class Output { kAsRead, kYaml, kJson };

// Holds back the first kHeldBytes until Finish(), so that an error in a small input leaves nothing
// written; of more, whole documents are written as they come. Not thread-safe.
class DocumentWriter {
 public:
  static constexpr std::size_t kHeldBytes = std::size_t{4} << 20;

  // `out` must outlive it.
  DocumentWriter(std::ostream& out, Output output) : out_(out), output_(output) {}

  // One that did not change and stands in the wanted format already is written byte for byte.
  void Write(const manifest::Document& document, bool changed);
  // Writes what is held. Without it, that is lost. False where `out` takes no more.
  bool Finish();

 private:
  void Separate(const std::string& text, manifest::Format format);

  std::ostream& out_;
  const Output output_;
  std::string held_;
  bool begun_ = false;
  // Of the document before.
  bool first_ = true;
  char last_byte_ = '\n';
  manifest::Format last_format_ = manifest::Format::kYaml;
};

}  // namespace shm::cli
