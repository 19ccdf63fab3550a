// What InferenceServices and Namespaces among the manifests do, wherever they stand.
#include "cli/manifest_source.h"
#include "tests/unit/cli/render_run.h"

namespace shm::cli::render_test {

TEST_CASE("InferenceServices and Namespaces hold for pods that stand before them") {
  struct Case {
    std::string input;
    Sizes sizes;
  };
  const std::string separator = "---\n";
  const std::vector<Case> cases = {
      {Pod("p"), {"2Gi"}},
      {Pod("p") + separator + Service("5Gi"), {"5Gi"}},
      {Service("5Gi") + separator + Pod("p"), {"5Gi"}},
      {Pod("p") + separator + Service("5Gi", "engine", "other"), {"2Gi"}},
      {Pod("p") + separator + kNamespace, {"6Gi"}},
      {Pod("p") + separator + kNamespace + separator + Service("5Gi"), {"5Gi"}},
      // Of two of the same name the last one is what a cluster would hold.
      {Service("5Gi") + separator + Pod("p") + separator + Service("7Gi"), {"7Gi"}},
  };
  for (const Case& c : cases) {
    const Rendered rendered = Render(c.input);
    INFO(c.input << rendered.err);
    CHECK(rendered.code == 0);
    CHECK(SizesIn(rendered.out) == c.sizes);
  }
}

TEST_CASE("InferenceServices come from a file or a directory of their own, and are not written") {
  const Folder folder;
  const std::string file = folder.Write("service.yaml", Service("5Gi"));
  for (const std::string& path : {file, folder.path()}) {
    const Rendered rendered = Render(Pod("p"), {"--services", path});
    CHECK(SizesIn(rendered.out) == Sizes{"5Gi"});
    CHECK_FALSE(Has(rendered.out, "InferenceService\n"));
  }
  const std::string pod = folder.Write("pod.txt", Pod("p"));
  CHECK(SizesIn(Render(Service("6Gi"), {"-f", pod, "--services", "-"}).out) == Sizes{"6Gi"});
  const std::string bad = folder.Write("bad.txt", "a: 1\n---\na: [\n");
  const Rendered refused = Render(Pod("p"), {"--services", bad});
  CHECK(refused.code == 2);
  CHECK(refused.out.empty());
  CHECK(Has(refused.err, bad + ":3: "));
}

TEST_CASE("Objects that name no namespace are of the one that is given") {
  std::string pod = Pod("p");
  pod.replace(pod.find(", namespace: default"), 20, "");
  const std::string input = pod + "---\n" + Service("5Gi", "engine", "llm");
  CHECK(SizesIn(Render(input).out) == Sizes{"2Gi"});
  const Rendered rendered = Render(input, {"-n", "llm"});
  CHECK(SizesIn(rendered.out) == Sizes{"5Gi"});
  CHECK(Has(rendered.err, "Pod llm/p: "));
}

TEST_CASE("An InferenceService far behind in a stream is told of, and holds from there on") {
  std::string filler;
  while (filler.size() <= ManifestSource::kAheadBytes) {
    filler += "---\nkind: ConfigMap\ndata:\n  text: " + std::string(64 << 10, 'x') + "\n";
  }
  struct Case {
    std::string late, kind, size;
  };
  const std::vector<Case> cases = {{Service("5Gi"), "InferenceService", "5Gi"},
                                   {kNamespace, "Namespace", "6Gi"}};
  for (const Case& c : cases) {
    const std::string stream = Pod("before") + filler + "---\n" + c.late + "---\n" + Pod("behind");
    const Rendered rendered = Render(stream);
    CHECK(rendered.code == 1);
    CHECK(SizesIn(rendered.out) == Sizes{"2Gi", c.size});
    CHECK(Has(rendered.err, "this " + c.kind + " stands after the first 4Mi of the stream"));
    const Folder folder;
    const Rendered from_file = Render("", {"-f", folder.Write("x.yaml", stream)});
    CHECK(from_file.code == 0);
    CHECK(SizesIn(from_file.out) == Sizes{c.size, c.size});
  }
}

TEST_CASE("An InferenceService that the looking ahead cuts off is not taken for a shorter one") {
  const std::string pod = Pod("p") + "---\n";
  const std::string service = "---\n" + Service("512Gi");
  // The cut falls behind "size: 5", and the document would be whole if it were flow style no more.
  const std::string head = "kind: ConfigMap\ndata:\n  text: ";
  const std::size_t until = service.find("  sharedMemory");
  const std::string stream =
      pod + head +
      std::string(ManifestSource::kAheadBytes - pod.size() - head.size() - 1 - until, 'x') + "\n" +
      service;
  const Rendered rendered = Render(stream);
  CHECK(rendered.code == 1);
  CHECK(SizesIn(rendered.out) == Sizes{"2Gi"});
  CHECK(Has(rendered.err, "stands after the first 4Mi"));
}

}  // namespace shm::cli::render_test
