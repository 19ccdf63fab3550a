// What the tests of `shmctl render` share: running it, and looking at what it wrote.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "manifest/documents.h"
#include "tests/unit/cli/run.h"

namespace shm::cli::render_test {

namespace fs = std::filesystem;
using manifest::Document;
using manifest::Json;

using Rendered = Outcome;

inline Rendered Render(const std::string& input, const Words& flags = {}) {
  Words args = {"render"};
  args.insert(args.end(), flags.begin(), flags.end());
  return RunWith(args, input);
}

inline std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<Document> Documents(const std::string& text) {
  std::istringstream in(text);
  manifest::DocumentReader reader(in, "test");
  std::vector<Document> documents;
  for (;;) {
    auto next = reader.Next();
    if (!next.ok()) FAIL(next.error().ToString());
    if (!*next) return documents;
    documents.push_back(std::move(**next));
  }
}

// The sizes of the memory volumes of all pods in a value, in their order.
inline void AddSizes(const Json& value, std::vector<std::string>* sizes) {
  if (!value.is_structured()) return;
  if (value.is_object() && value.contains("emptyDir")) {
    sizes->push_back(value["emptyDir"].value("sizeLimit", "none"));
  }
  for (const Json& child : value) AddSizes(child, sizes);
}
inline std::vector<std::string> SizesIn(const std::string& text) {
  std::vector<std::string> sizes;
  for (const Document& document : Documents(text)) AddSizes(document.value, &sizes);
  return sizes;
}
using Sizes = std::vector<std::string>;

inline std::string Pod(const std::string& name, const std::string& name_space = "default",
                       const std::string& labels = "{app: engine}", int gpus = 2) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + name_space +
         ", labels: " + labels + "}\nspec:\n  containers:\n  - name: c\n    resources: {limits: " +
         "{nvidia.com/gpu: " + std::to_string(gpus) + ", memory: 64Gi}}\n";
}

inline std::string Service(const std::string& size, const std::string& name = "engine",
                           const std::string& name_space = "default") {
  return "apiVersion: shm-operator.dev/v1alpha1\nkind: InferenceService\nmetadata: {name: " + name +
         ", namespace: " + name_space + "}\nspec:\n  selector: {matchLabels: {app: engine}}\n" +
         "  tensorParallelSize: 2\n  sharedMemory: {size: " + size + "}\n";
}

inline constexpr const char* kNamespace =
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: default\n  annotations:\n"
    "    shm-operator.dev/size-per-gpu: 3Gi\n";
inline constexpr const char* kConfigMap =
    "apiVersion: v1 # as it was\nkind:   ConfigMap\ndata: {a: 017, b: yes, c: \"x\\u0041\"}\n\n# "
    "end\n";

// A folder of this test's own, gone with it.
class Folder {
 public:
  Folder() {
    path_ = fs::temp_directory_path() /
            ("render_test." + std::to_string(::getpid()) + "." + std::to_string(++made_));
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  std::string path() const { return path_; }

 private:
  inline static int made_ = 0;
  fs::path path_;
};

}  // namespace shm::cli::render_test
