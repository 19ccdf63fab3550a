// Runs one fuzz target over the inputs that are committed for it, without libFuzzer: what `make
// test` holds of the fuzzers. Compiled once for each target; SHM_CORPUS names its folders, apart by
// ':'.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> FilesBelow(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(file.good());
  return text;
}

// Of exactly the input's size, on the heap, so that a sanitizer sees one byte beyond it.
int RunOn(const std::string& input) {
  const std::vector<std::uint8_t> bytes(input.begin(), input.end());
  return LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

TEST_CASE("the fuzz target " SHM_FUZZER " holds for the empty input and for its whole corpus") {
  CHECK(RunOn("") == 0);
  std::istringstream folders(SHM_CORPUS);
  for (std::string folder; std::getline(folders, folder, ':');) {
    INFO(folder);
    const std::vector<fs::path> files = FilesBelow(folder);
    REQUIRE_FALSE(files.empty());
    for (const fs::path& file : files) {
      INFO(file.string());  // an abort is reported with it
      CHECK(RunOn(Contents(file)) == 0);
    }
  }
}
