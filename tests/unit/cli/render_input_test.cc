// Where manifests come from, and how bad ones end.
#include "tests/unit/cli/render_run.h"

namespace shm::cli::render_test {

TEST_CASE("Files, directories and stdin are read in the order in which they are named") {
  const Folder folder;
  folder.Write("b.yaml", "b: 1");  // no line end
  folder.Write("a.json", "{\"a\":1}\n");
  folder.Write("c.yml", "---\nc: 1\n");
  folder.Write("d.txt", "no manifest");
  fs::create_directories(folder.path() + "/below");
  const std::string last = folder.Write("z.txt", "z: 1\n");
  const Rendered rendered = Render("s: 1\n", {"-f", folder.path(), "-f", "-", "--filename", last});
  INFO(rendered.err);
  CHECK(rendered.code == 0);
  CHECK(rendered.out == "{\"a\":1}\n---\nb: 1\n---\nc: 1\n---\ns: 1\n---\nz: 1\n");
}

TEST_CASE("A file that is named twice is written twice, as documents of their own") {
  const Folder folder;
  const std::string file = folder.Write("a.yaml", "a: 1\n");
  CHECK(Render("", {"-f", file, "-f", file}).out == "a: 1\n---\na: 1\n");
}

TEST_CASE("Bad input ends with 2, names file, line and field, and leaves stdout empty") {
  const auto repeat = [](const std::string& text) {
    std::string all;
    for (int i = 0; i < 1'000'000; ++i) all += text;
    return all;
  };
  std::string laughs = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "k" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) laughs += ", " + before;
    laughs += "]\n";
  }
  struct Case {
    std::string text;
    std::string message;  // with what stands before it: the file, the line and the field
  };
  const std::string list = "apiVersion: v1\nkind: List\nitems:\n- {}\n";
  const std::vector<Case> cases = {
      {"spec: {a: " + repeat("["), "stdin:2: "},
      {"spec:\n  " + repeat("- "), "stdin:3: "},
      {"{\"spec\":\n" + repeat("["), "stdin:3: spec[0][0]"},
      {repeat("{\"a\":"), "stdin:2: a.a."},
      {"spec:\n  a: 1\n  a: 2\n", "stdin:4: spec.a: the key stands twice"},
      {"{\"spec\": {\"a\": 1,\n\"a\": 2}}", "stdin:3: spec.a: the key stands twice"},
      {laughs, ": aliases make the document larger"},
      {"spec:\n\ta: 1\n", "stdin:3: spec: a tab must not indent"},
      {"spec:\n  a: \xFF\n", "stdin:3: byte 0xff is no UTF-8"},
      {"# \xC3(\nspec: 1\n", "stdin:2: byte 0xc3 is no UTF-8"},
      {"{\"spec\":\n1e999}", "stdin:3: spec: the number is out of range"},
      {"spec:\n  a: .inf\n", "stdin:3: spec.a: JSON has no number"},
      {"- a\n", "stdin:2: a manifest is an object"},
      {"just a text\n", "stdin:2: a manifest is an object"},
      {"--- a: 1\n", "stdin:2: only a comment"},
      {"apiVersion: v1\nkind: Pod\nspec: {}\n", "stdin:4: spec.containers: "},
      {"apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
       "      - name: c\n        resources: {limits: 3}\n",
       "stdin:9: spec.template.spec.containers[0].resources.limits: "},
      {list + "- apiVersion: v1\n  kind: Pod\n  spec:\n    containers: 3\n",
       "stdin:9: items[1].spec.containers: "},
      {"apiVersion: shm-operator.dev/v1alpha1\nkind: InferenceService\nmetadata: {name: e}\nspec:\n"
       "  selector: {}\n  tensorParallelSize: 99999999999999999999\n",
       "stdin:7: spec.tensorParallelSize: "},
      {"apiVersion: shm-operator.dev/v1alpha1\nkind: InferenceService\nmetadata: {name: e}\nspec:\n"
       "  selector: {}\n  tensorParalelSize: 2\n",
       "stdin:7: spec.tensorParalelSize: is no field"},
  };
  for (const Case& bad : cases) {
    // A pod before it, which is not to be written either.
    const Rendered rendered =
        Render(bad.text.starts_with("---") ? "\n" + bad.text : "---\n" + bad.text);
    INFO(bad.text.substr(0, 100) << "\n" << rendered.err.substr(0, 300));
    CHECK(rendered.code == 2);
    CHECK(rendered.out.empty());
    CHECK(Has(rendered.err, bad.message));
    CHECK(rendered.err.starts_with("shmctl: stdin"));
    CHECK(std::count(rendered.err.begin(), rendered.err.end(), '\n') == 1);

    const Rendered behind =
        Render(Pod("p") + "---\n" + bad.text.substr(bad.text.starts_with("---") ? 4 : 0));
    if (!bad.text.starts_with("---")) CHECK(behind.code == 2);
    if (behind.code == 2) CHECK(behind.out.empty());
  }
}

TEST_CASE("What cannot be read at all is named") {
  const Folder folder;
  struct Case {
    Words flags;
    std::string error;
  };
  const std::vector<Case> cases = {
      {{"-f", "/no/such"}, "shmctl: /no/such: cannot be opened: "},
      {{"-f", ""}, "shmctl: \"\": cannot be opened: "},
      {{"-f", folder.path()}, "shmctl: " + folder.path() + ": holds no *.yaml, *.yml or *.json"},
      {{"-f", "-", "-f", "-"}, "shmctl: -: standard input can be read only once"},
      {{"--services", "-"}, "shmctl: --services: standard input is read for the manifests"},
      {{"--services", "/no/such"}, "shmctl: /no/such: cannot be opened: "},
  };
  for (const Case& c : cases) {
    const Rendered rendered = Render(Pod("p"), c.flags);
    CHECK(rendered.code == 2);
    CHECK(rendered.out.empty());
    CHECK(rendered.err.starts_with(c.error));
  }
}

TEST_CASE("An output that takes no more is an error") {
  std::istringstream in("a: 1\n");
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  CHECK(Run({"render"}, in, out, err) == 2);
  CHECK(err.str() == "shmctl: stdout: cannot be written\n");
}

TEST_CASE("A pipe is read once, and what stands in it is looked at ahead all the same") {
  const std::string text = Pod("p") + "---\n" + Service("5Gi");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const Rendered rendered = Render("", {"-f", "/dev/fd/" + std::to_string(ends[0])});
  ::close(ends[0]);
  INFO(rendered.err);
  CHECK(SizesIn(rendered.out) == Sizes{"5Gi"});
}

TEST_CASE("Of a long stream documents are written before its end, whole ones, until one is bad") {
  const std::string filler =
      "kind: ConfigMap\ndata:\n  text: " + std::string(64 << 10, 'x') + "\n---\n";
  std::string stream;
  while (stream.size() <= (std::size_t{5} << 20)) stream += filler;
  const Rendered rendered = Render(stream + "a: [\n");
  CHECK(rendered.code == 2);
  CHECK(rendered.out.size() > (std::size_t{4} << 20));
  CHECK(stream.starts_with(rendered.out));
  CHECK(rendered.out.size() % filler.size() ==
        filler.size() - 4);  // its separator is the next one's
}

}  // namespace shm::cli::render_test
