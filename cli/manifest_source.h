// Where the commands read manifests from: files, directories, standard input.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "manifest/documents.h"

namespace shm::cli {

// One file, or standard input. What it brings that others need to know (InferenceServices) can be
// looked at before it is read as a whole: all of a file, of standard input and pipes the first
// kAheadBytes. Not thread-safe.
class ManifestSource {
 public:
  static constexpr std::size_t kAheadBytes = std::size_t{4} << 20;
  using Visitor = std::function<Result<void>(manifest::Document)>;

  // "-" is `in`, which must outlive the sources. A directory stands for its files *.yaml, *.yml and
  // *.json in the order of their names, without those of its folders, as for kubectl. An Error: no
  // such file, a directory without any, or "-" twice.
  static Result<std::vector<ManifestSource>> Open(const std::vector<std::string>& paths,
                                                  std::istream& in);

  // Visits the documents that `wanted` finds by their text. At one that cannot be read it ends:
  // ReadAll tells of it. Ends at the visitor's first Error.
  Result<void> LookAhead(const manifest::DocumentReader::Wanted& wanted, const Visitor& visit);
  // Visits every document, once.
  Result<void> ReadAll(const Visitor& visit);

 private:
  ManifestSource(std::string name, std::shared_ptr<std::istream> in)
      : name_(std::move(name)), in_(std::move(in)) {}
  static Result<ManifestSource> OpenFile(const std::string& path);
  void FillAhead();

  std::string name_;
  std::shared_ptr<std::istream> in_;  // can be read once; null: the file of that name can be again
  std::string ahead_;                 // of in_, what was read of it
  bool filled_ = false;
  bool cut_ = false;  // in_ may hold more than ahead_
};

}  // namespace shm::cli
