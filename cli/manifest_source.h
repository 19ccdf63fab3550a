// Where the commands read manifests from: files, directories, standard input.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/result.h"
#include "manifest/documents.h"

namespace shm::cli {

// One file, or standard input. What it brings that others need to know (InferenceServices) can be
// looked at before it is read as a whole: all of a file, of standard input the first kAheadBytes.
// Not thread-safe.
class ManifestSource {
 public:
  static constexpr std::size_t kAheadBytes = std::size_t{4} << 20;
  using Visitor = std::function<Result<void>(manifest::Document)>;

  // "-" is `in`, which must outlive the sources. A directory stands for its files *.yaml, *.yml and
  // *.json in the order of their names, without those of its folders, as for kubectl. An Error: no
  // such file, or a directory without any.
  static Result<std::vector<ManifestSource>> Open(const std::vector<std::string>& paths,
                                                  std::istream& in);

  // Visits the documents that `wanted` finds by their text; ones that cannot be read are passed
  // over: ReadAll tells of them. Ends at the visitor's first Error.
  Result<void> LookAhead(const manifest::DocumentReader::Wanted& wanted, const Visitor& visit);
  // Visits every document, once.
  Result<void> ReadAll(const Visitor& visit);

 private:
  ManifestSource(std::string name, std::istream* in) : name_(std::move(name)), in_(in) {}
  void FillAhead();

  std::string name_;
  std::istream* in_;   // null: the file of that name
  std::string ahead_;  // of in_, what was read of it
  bool filled_ = false;
};

}  // namespace shm::cli
