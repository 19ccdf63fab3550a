#include "cli/render.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/manifest_source.h"
#include "manifest/documents.h"

namespace shm::cli {
namespace {

namespace fs = std::filesystem;
using manifest::Document;
using manifest::Json;
using Words = std::vector<std::string>;

struct Rendered {
  int code = 0;
  std::string out;
  std::string err;
};

Rendered Render(const std::string& input, const Words& flags = {}) {
  Words args = {"render"};
  args.insert(args.end(), flags.begin(), flags.end());
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(args, in, out, err);
  return {code, out.str(), err.str()};
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Document> Documents(const std::string& text) {
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
void AddSizes(const Json& value, std::vector<std::string>* sizes) {
  if (!value.is_structured()) return;
  if (value.is_object() && value.contains("emptyDir")) {
    sizes->push_back(value["emptyDir"].value("sizeLimit", "none"));
  }
  for (const Json& child : value) AddSizes(child, sizes);
}
std::vector<std::string> SizesIn(const std::string& text) {
  std::vector<std::string> sizes;
  for (const Document& document : Documents(text)) AddSizes(document.value, &sizes);
  return sizes;
}
using Sizes = std::vector<std::string>;

std::string Pod(const std::string& name, const std::string& name_space = "default",
                const std::string& labels = "{app: engine}", int gpus = 2) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + name_space +
         ", labels: " + labels + "}\nspec:\n  containers:\n  - name: c\n    resources: {limits: " +
         "{nvidia.com/gpu: " + std::to_string(gpus) + ", memory: 64Gi}}\n";
}

std::string Service(const std::string& size, const std::string& name = "engine",
                    const std::string& name_space = "default") {
  return "apiVersion: shm-operator.dev/v1alpha1\nkind: InferenceService\nmetadata: {name: " + name +
         ", namespace: " + name_space + "}\nspec:\n  selector: {matchLabels: {app: engine}}\n" +
         "  tensorParallelSize: 2\n  sharedMemory: {size: " + size + "}\n";
}

constexpr const char* kNamespace =
    "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: default\n  annotations:\n"
    "    shm-operator.dev/size-per-gpu: 3Gi\n";
constexpr const char* kConfigMap =
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
  static int made_;
  fs::path path_;
};
int Folder::made_ = 0;

}  // namespace

TEST_CASE("Documents that do not change pass byte for byte, beside ones that do") {
  const std::string before =
      std::string("\xEF\xBB\xBF# first\n---\n") + kConfigMap + "--- # pod\n# its head\n";
  const std::string after =
      std::string("---\r\n# crlf\r\na: 1\r\n---\n\n---\n") + kConfigMap + "...\n";
  const Rendered rendered = Render(before + Pod("p") + after);
  CHECK(rendered.code == 0);
  CHECK(rendered.out.starts_with(before));
  CHECK(rendered.out.ends_with(after));
  CHECK(SizesIn(rendered.out) == Sizes{"2Gi"});
  CHECK(Has(rendered.err, "Pod default/p: /dev/shm 2Gi: "));
  const Rendered again = Render(rendered.out);
  CHECK(again.out == rendered.out);
}

TEST_CASE("What holds no pod passes byte for byte, whatever it looks like") {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("# only a comment"),
        std::string("---\n---\n"), std::string(kConfigMap), std::string("a: 1\r\n---\r\nb: 2"),
        std::string("{\"a\": 1}{\"b\":2}\n"), std::string("{\"a\":\n 1}\n\n{\"b\":2}"),
        std::string("{a: b, c: '}'}\n"), std::string("a: &x {b: c}\nd: *x\ne: {<<: *x}\n"),
        std::string("%YAML 1.1\n---\na: 1\n...\n"),
        std::string(
            "apiVersion: example.com/v1\nkind: Odd\nspec: {template: {spec: {containers: 3}}}\n"),
        std::string("apiVersion: v1\nkind: List\nitems: []\n"),
        std::string("apiVersion: v1\nkind: List\n")}) {
    const Rendered rendered = Render(text);
    INFO(text << rendered.err);
    CHECK(rendered.code == 0);
    CHECK(rendered.out == text);
    CHECK(rendered.err.empty());
  }
}

TEST_CASE("A document is written in the format it came in, with its line ends") {
  const std::string json =
      R"({"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":1}}}]}})";
  const std::string lines = json + "\n{\"kind\":\"ConfigMap\"}\n" + json + "\n";
  const Rendered one_a_line = Render(lines);
  CHECK(std::count(one_a_line.out.begin(), one_a_line.out.end(), '\n') == 3);
  CHECK(SizesIn(one_a_line.out) == Sizes{"1Gi", "1Gi"});

  const Rendered indented = Render(Json::parse(json).dump(4));
  CHECK(indented.out.starts_with("{\n  \"apiVersion\""));

  std::string windows = Pod("p");
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2) {
    windows.replace(at, 1, "\r\n");
  }
  const std::string out = Render("# head\r\n" + windows).out;
  CHECK(SizesIn(out) == Sizes{"2Gi"});
  CHECK(std::count(out.begin(), out.end(), '\n') == std::count(out.begin(), out.end(), '\r'));
}

TEST_CASE("The output's format may be chosen, and then holds for every document") {
  const std::string input = Pod("p") + "---\n# nothing\n---\n{\"kind\": \"ConfigMap\"}\n";
  const std::vector<Document> json = Documents(Render(input, {"-o", "json"}).out);
  REQUIRE(json.size() == 2);
  CHECK(json[0].format == manifest::Format::kJson);
  CHECK(json[1].value == Json({{"kind", "ConfigMap"}}));
  const std::string yaml = Render(input, {"-o", "yaml"}).out;
  CHECK(Has(yaml, "---\nkind: ConfigMap\n"));
  CHECK(SizesIn(yaml) == Sizes{"2Gi"});
}

TEST_CASE("Pods are found in lists, in lists of lists, and in every place of a document") {
  const std::string list =
      R"({"apiVersion":"v1","kind":"List","items":[
          {"apiVersion":"v1","kind":"ConfigMap"},
          {"apiVersion":"v1","kind":"List","items":[
            {"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"n"},"spec":{"jobTemplate":
              {"spec":{"template":{"spec":{"containers":[{"name":"c","resources":{"limits":
                {"nvidia.com/gpu":4}}}]}}}}}}]},
          {"apiVersion":"leaderworkerset.x-k8s.io/v1","kind":"LeaderWorkerSet","spec":{
            "leaderWorkerTemplate":{"size":2,"leaderTemplate":{"spec":{"containers":[{"name":"c",
              "resources":{"limits":{"nvidia.com/gpu":1}}}]}},"workerTemplate":{"spec":{
              "containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":2}}}]}}}}}]})";
  const Rendered rendered = Render(list);
  CHECK(rendered.code == 0);
  CHECK(SizesIn(rendered.out) == Sizes{"4Gi", "1Gi", "2Gi"});
  CHECK(Has(rendered.err, "CronJob default/n, spec.jobTemplate.spec.template: /dev/shm 4Gi"));
}

TEST_CASE("A kind whose template path is declared is rendered, others of it pass") {
  const std::string engine =
      "apiVersion: example.com/v1\nkind: Engine\nspec:\n  pools:\n  - template:\n      spec:\n"
      "        containers: [{name: c, resources: {limits: {nvidia.com/gpu: 2}}}]\n  - {}\n";
  CHECK(Render(engine).out == engine);
  const Words flags = {"--template-path", "example.com/Engine=spec.pools[].template"};
  CHECK(SizesIn(Render(engine, flags).out) == Sizes{"2Gi"});
  const Rendered bad = Render(engine, {"--template-path", "Engine"});
  CHECK(bad.code == 2);
  CHECK(bad.out.empty());
  CHECK(Has(bad.err, "--template-path: \"Engine\""));
}

TEST_CASE("A declared place inside of another one is rendered as well") {
  const std::string nested =
      "apiVersion: example.com/v1\nkind: Engine\nspec:\n  spec:\n    containers: [{name: c, "
      "resources: "
      "{limits: {nvidia.com/gpu: 2}}}]\n    inner:\n      spec:\n        containers: [{name: c, "
      "resources: {limits: {nvidia.com/gpu: 1}}}]\n";
  const Rendered rendered =
      Render(nested, {"--template-path", "example.com/Engine=spec", "--template-path",
                      "example.com/Engine=spec.spec.inner", "-o", "json"});
  INFO(rendered.err);
  CHECK(rendered.code == 0);
  std::vector<std::string> sizes = SizesIn(rendered.out);
  std::sort(sizes.begin(), sizes.end());
  CHECK(sizes == Sizes{"1Gi", "2Gi"});
}

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

TEST_CASE("A pod that would be refused passes as it is, is told of, and ends with 1") {
  const std::string unknown = Pod("p", "default", "{shm-operator.dev/service: nobody}");
  const std::string small = Service("100Gi") + "---\n" + Pod("q");
  const std::vector<std::pair<std::string, Words>> cases = {
      {unknown, {}}, {small, {"--memory-limit-policy", "Reject"}}};
  for (const auto& [input, flags] : cases) {
    const Rendered rendered = Render(input, flags);
    INFO(rendered.err);
    CHECK(rendered.code == 1);
    CHECK(rendered.out == input);
    CHECK(Has(rendered.err, "refused: Pod default/"));
  }
}

TEST_CASE("An audit says what would be done, and changes nothing") {
  const Rendered rendered = Render(Pod("p"), {"--audit"});
  CHECK(rendered.code == 0);
  CHECK(rendered.out == Pod("p"));
  CHECK(Has(rendered.err, "warning: Pod default/p: "));
}

TEST_CASE("The installation's flags do what its configuration would") {
  CHECK(SizesIn(Render(Pod("p"), {"--size-per-gpu", "3Gi"}).out) == Sizes{"6Gi"});
  CHECK(SizesIn(Render(Pod("p"), {"--max-size", "1Gi"}).out) == Sizes{"1Gi"});
  for (const Words& bad :
       {Words{"--size-per-gpu", "0"}, Words{"--max-size", "x"}, Words{"--memory-headroom", "-1"},
        Words{"--memory-limit-policy", "warn"}, Words{"-o", "xml"}}) {
    const Rendered rendered = Render(Pod("p"), bad);
    INFO(rendered.err);
    CHECK(rendered.code == 2);
    CHECK(rendered.out.empty());
  }
}

TEST_CASE("Kinds whose pods stand in no template are told of") {
  const Rendered rendered = Render(
      "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: k}\n");
  CHECK(rendered.code == 0);
  CHECK(Has(rendered.err, "note: InferenceService default/k: its controller"));
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

TEST_CASE("The published manifests change as docs/published-manifests.md says, and only once") {
  const std::vector<std::pair<std::string, Sizes>> files = {
      {"aibrix-rayclusterfleet", {"1Gi", "1Gi"}},
      {"benchmark-cronjob", {"4Gi", "8Gi"}},
      {"kuberay-rayservice", {"8Gi"}},
      {"lws-vllm", {"198190Mi", "196110Mi"}},
      {"production-stack-deployment", {"4Gi"}},
  };
  for (const auto& [name, sizes] : files) {
    const Sizes ours = SizesIn(Render(Contents(SHM_TEST_DATA "/manifests/" + name + ".yaml")).out);
    INFO(name);
    for (const std::string& size : sizes) CHECK(std::count(ours.begin(), ours.end(), size) >= 1);
  }
  const Words untouched = {"dynamo-v1alpha1", "kserve-llmisvc", "kserve-multinode", "nim-service",
                           "ome-servingruntime"};
  for (const auto& entry : fs::directory_iterator(SHM_TEST_DATA "/manifests")) {
    const std::string name = entry.path().stem();
    const std::string text = Contents(entry.path());
    const Rendered rendered = Render("", {"-f", entry.path()});
    INFO(name << "\n" << rendered.err);
    CHECK(rendered.code == 0);
    const bool same = std::find(untouched.begin(), untouched.end(), name) != untouched.end();
    CHECK((rendered.out == text) == same);
    CHECK(Has(rendered.err, "note: ") == same);
    CHECK(Render(rendered.out).out == rendered.out);

    const std::vector<Document> before = Documents(text);
    const std::vector<Document> after = Documents(rendered.out);
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].value == after[i].value) CHECK(before[i].text == after[i].text);
    }
  }
}

}  // namespace shm::cli
