#include "cli/manifest_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <istream>
#include <sstream>
#include <streambuf>
#include <system_error>
#include <utility>

namespace shm::cli {
namespace {

namespace fs = std::filesystem;
using manifest::Document;
using manifest::DocumentReader;

// What was read ahead, and after it the rest of the stream.
class RestoredBuffer : public std::streambuf {
 public:
  RestoredBuffer(std::string* ahead, std::istream& rest) : rest_(rest) {
    setg(ahead->data(), ahead->data(), ahead->data() + ahead->size());
  }

 private:
  int_type underflow() override {
    rest_.read(chunk_.data(), static_cast<std::streamsize>(chunk_.size()));
    const auto count = rest_.gcount();
    if (count == 0) return traits_type::eof();
    setg(chunk_.data(), chunk_.data(), chunk_.data() + count);
    return traits_type::to_int_type(chunk_[0]);
  }

  std::istream& rest_;
  std::array<char, 4096> chunk_;  // small: a pipe's writer may wait for what is written
};

Result<void> Visit(DocumentReader* reader, const ManifestSource::Visitor& visit) {
  for (;;) {
    Result<std::optional<Document>> document = reader->Next();
    if (!document.ok()) return document.error();
    if (!*document) return {};
    if (auto done = visit(std::move(**document)); !done.ok()) return done;
  }
}

Result<std::vector<std::string>> FilesIn(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code failed;
  for (fs::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const std::string extension = entry->path().extension();
    const bool manifest = extension == ".yaml" || extension == ".yml" || extension == ".json";
    if (manifest && entry->is_regular_file(failed)) files.push_back(entry->path());
  }
  if (failed) return Error{directory, failed.message()};
  if (files.empty()) return Error{directory, "holds no *.yaml, *.yml or *.json"};
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::vector<ManifestSource>> ManifestSource::Open(const std::vector<std::string>& paths,
                                                         std::istream& in) {
  if (std::count(paths.begin(), paths.end(), "-") > 1) {
    return Error{"-", "standard input can be read only once"};
  }
  std::vector<ManifestSource> sources;
  for (const std::string& path : paths) {
    if (path == "-") {
      sources.push_back(ManifestSource("stdin", std::shared_ptr<std::istream>(&in, [](auto*) {})));
      continue;
    }
    std::error_code failed;
    const bool directory = fs::is_directory(path, failed);
    Result<std::vector<std::string>> files =
        directory ? FilesIn(path) : Result<std::vector<std::string>>(std::vector{path});
    if (!files.ok()) return files.error();
    for (const std::string& file : *files) {
      Result<ManifestSource> source = OpenFile(file);
      if (!source.ok()) return source.error();
      sources.push_back(std::move(*source));
    }
  }
  return sources;
}

// A pipe, as a shell's <(command) makes one, gives its bytes once and to the first who opens it.
Result<ManifestSource> ManifestSource::OpenFile(const std::string& path) {
  auto file = std::make_shared<std::ifstream>(path);
  if (!*file) {
    return Error{path.empty() ? "\"\"" : path,
                 "cannot be opened: " + std::generic_category().message(errno)};
  }
  std::error_code failed;
  const bool again = fs::is_regular_file(path, failed);
  return ManifestSource(path, again ? nullptr : std::move(file));
}

void ManifestSource::FillAhead() {
  if (filled_) return;
  filled_ = true;
  ahead_.resize(kAheadBytes);
  in_->read(ahead_.data(), static_cast<std::streamsize>(ahead_.size()));
  ahead_.resize(static_cast<std::size_t>(in_->gcount()));
  cut_ = ahead_.size() == kAheadBytes;
}

Result<void> ManifestSource::LookAhead(const DocumentReader::Wanted& wanted, const Visitor& visit) {
  std::ifstream file;
  std::istringstream text;
  if (in_) {
    FillAhead();
    text.str(ahead_);
  } else {
    file.open(name_);
  }
  std::istream& stream = in_ ? static_cast<std::istream&>(text) : file;
  std::optional<Error> refused;
  DocumentReader reader(stream, name_, wanted);
  (void)Visit(&reader, [&](Document document) {
    // YAML that was cut off in its middle may still be well-formed, and say something else.
    if (cut_ && document.format == manifest::Format::kYaml && reader.AtEnd()) return Result<void>();
    auto done = visit(std::move(document));
    if (!done.ok()) refused = done.error();
    return done;
  });
  return refused ? Result<void>(*refused) : Result<void>();
}

Result<void> ManifestSource::ReadAll(const Visitor& visit) {
  if (!in_) {
    std::ifstream file(name_);
    DocumentReader reader(file, name_);
    return Visit(&reader, visit);
  }
  RestoredBuffer buffer(&ahead_, *in_);
  std::istream stream(&buffer);
  DocumentReader reader(stream, name_);
  return Visit(&reader, visit);
}

}  // namespace shm::cli
