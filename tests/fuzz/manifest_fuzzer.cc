// Any bytes as a stream of manifests: it is refused, or its documents are the stream, byte for
// byte; what was read is written as YAML and read back equal; and what `shmctl render` makes of a
// document stays as it is when it is rendered again.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <variant>

#include "cli/render_document.h"
#include "manifest/documents.h"
#include "manifest/yaml_reader.h"
#include "manifest/yaml_writer.h"

namespace {

using shm::manifest::Document;
using shm::manifest::DocumentReader;
using shm::manifest::Json;

[[noreturn]] void Fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
  std::abort();
}

shm::cli::ServiceCatalog Catalog() {
  shm::InstallationDefaults installation;
  installation.memory_limit_policy = shm::MemoryLimitPolicy::kRaise;
  shm::cli::ServiceCatalog catalog(installation, "default", shm::KnownGpuClasses());
  const auto added = catalog.Add(Json::parse(R"({"apiVersion":"shm-operator.dev/v1alpha1",
    "kind":"InferenceService","metadata":{"name":"engine"},
    "spec":{"tensorParallelSize":2,"selector":{"matchLabels":{"app":"engine"}}}})"));
  if (!added.ok()) Fail("the catalog", added.error().ToString());
  return catalog;
}

void CheckWritten(const Json& value) {
  std::ostringstream text;
  shm::manifest::WriteYaml(value, text);
  const auto outcome = shm::manifest::ReadYaml(text.str());
  if (const auto* failure = std::get_if<shm::manifest::ReadFailure>(&outcome)) {
    // yaml-cpp goes 500 deep, JSON is read to kMaxDepth.
    if (failure->error.message.find("nests") != std::string::npos) return;
    Fail("what was written cannot be read", failure->error.ToString() + "\n" + text.str());
  }
  if (std::get<Json>(outcome) != value) Fail("read back as something else", text.str());
}

void CheckRendered(Json value) {
  static shm::cli::ServiceCatalog catalog = Catalog();
  // The second one lies inside of the first.
  static const std::vector<shm::cli::DeclaredKind> kDeclared = {
      {"example.com", "Engine", "spec.pools[]"}, {"example.com", "Engine", "spec.pools[].spec"}};
  shm::cli::ServiceCatalog fresh({}, "default", shm::KnownGpuClasses());
  (void)fresh.Add(value);
  if (!shm::cli::RenderDocument(catalog, kDeclared, &value).ok()) return;
  const std::string first = value.dump();
  const auto again = shm::cli::RenderDocument(catalog, kDeclared, &value);
  if (!again.ok()) Fail("refused when rendered again", again.error().ToString());
  if (again->changed || value.dump() != first) Fail("changed when rendered again", first);
  for (const shm::cli::RenderedPod& pod : again->pods) {
    if (pod.decision.reason == shm::Reason::kInternal) Fail(pod.object.c_str(), first);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string stream(reinterpret_cast<const char*>(data), size);
  std::istringstream in(stream);
  DocumentReader reader(in, "stream");
  std::string together;
  for (;;) {
    const auto next = reader.Next();
    if (!next.ok()) return 0;
    if (!*next) break;
    const Document& document = **next;
    together += document.text;
    (void)document.Locate({"spec.containers[0]", "a message"});
    CheckWritten(document.value);
    if (document.value.is_object()) CheckRendered(document.value);
  }
  if (together != stream) Fail("the documents are not the stream", together);
  return 0;
}
