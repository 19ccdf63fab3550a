// `shmctl scan` without a cluster: what it reads from a file, and how it ends.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/cli/run.h"
#include "tests/unit/cli/scan_objects.h"

namespace shm::cli {
namespace {

using namespace testing;

Outcome Scan(const std::string& input, const Words& flags = {"-f", "-"}) {
  Words args = {"scan"};
  args.insert(args.end(), flags.begin(), flags.end());
  return RunWith(args, input);
}

Json ScanJson(const Json& input, Words flags = {}) {
  for (const char* word : {"-f", "-", "--output", "json"}) flags.push_back(word);
  return Json::parse(Scan(input.dump(), flags).out);
}

Words NamesIn(const Json& report) {
  Words names;
  for (const Json& pod : report["pods"]) names.push_back(pod["pod"]);
  return names;
}

TEST_CASE("scan ends with 0 where all have enough, and with 1 where one has too little") {
  struct Case {
    const char* name;
    std::vector<Json> items;
    int code;
  };
  const Json small = MakePod("small", 2);
  const Json enough = WithVolume(MakePod("enough", 2), Memory("2Gi"));
  const std::vector<Case> cases = {
      {"no pods", {}, 0},
      {"no GPUs", {MakePod("p", 0)}, 0},
      {"enough", {enough}, 0},
      {"hostIPC", {WithVolume(MakePod("p", 2), {{"hostPath", {{"path", "/dev/shm"}}}})}, 0},
      {"too small", {enough, small}, 1},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    for (const char* format : {"table", "json"}) {
      const Outcome outcome = Scan(MakeList(c.items).dump(), {"-f", "-", "--output", format});
      CHECK(outcome.code == c.code);
      CHECK_FALSE(outcome.out.empty());
    }
  }
}

TEST_CASE("The table goes to stdout and its summary to stderr; JSON is alone") {
  const std::string list = MakeList({MakePod("p", 2)}).dump();
  const Outcome table = Scan(list);
  CHECK(table.out.find("NAMESPACE") == 0);
  CHECK(Has(table.out, "\nllm "));
  CHECK(table.err.find("1 pod scanned, 1 with GPUs, 1 with less") == 0);
  const Outcome json = Scan(list, {"-f", "-", "--output", "json"});
  CHECK(Json::parse(json.out)["summary"]["tooSmall"] == 1);
  CHECK(json.err.empty());
}

TEST_CASE("Pods that have ended are left out, pods that wait are not") {
  std::vector<Json> items;
  for (const char* phase : {"Pending", "Running", "Unknown", "Succeeded", "Failed"}) {
    items.push_back(MakePod(phase, 2));
    items.back()["status"]["phase"] = phase;
  }
  items.push_back(MakePod("no-status", 2));
  items.back().erase("status");
  CHECK(NamesIn(ScanJson(MakeList(items))) == Words{"Pending", "Running", "Unknown", "no-status"});
}

TEST_CASE("InferenceServices and Namespaces of the same List count, wherever they stand in it") {
  const Json spec = {{"sharedMemory", {{"size", "5Gi"}}},
                     {"selector", {{"matchLabels", {{"app", "engine"}}}}}};
  Json kserve = MakeService("s", spec);
  kserve["apiVersion"] = "serving.kserve.io/v1beta1";
  Json deployment = MakePod("d", 2);
  deployment["kind"] = "Deployment";
  const Json pod = WithLabel(MakePod("p", 2), "app", "engine");
  const Json name_space = MakeNamespace("llm", true, {{"shm-operator.dev/size-per-gpu", "3Gi"}});
  const Json of_ours =
      ScanJson(MakeList({pod, deployment, MakeService("s", spec), name_space}))["pods"];
  REQUIRE(of_ours.size() == 1);
  CHECK(of_ours[0]["wouldGetBytes"] == 5ll << 30);
  CHECK(of_ours[0]["service"] == "s");
  CHECK(of_ours[0]["covered"] == true);
  const Json of_kserve = ScanJson(MakeList({pod, kserve, name_space}))["pods"];
  CHECK(of_kserve[0]["wouldGetBytes"] == 6ll << 30);
  CHECK(of_kserve[0]["service"] == nullptr);
  CHECK(ScanJson(MakeList({pod}))["pods"][0]["covered"] == nullptr);
}

TEST_CASE("A label is judged only where InferenceServices were given") {
  const Json pod = WithLabel(MakePod("p", 2), "shm-operator.dev/service", "s");
  CHECK(ScanJson(MakeList({pod}))["pods"][0]["outcome"] == "Injected");
  const Json other = MakeService("other", {{"selector", {{"matchLabels", {{"a", "b"}}}}}});
  CHECK(ScanJson(MakeList({pod, other}))["pods"][0]["outcome"] == "UnknownService");
}

TEST_CASE("A PodList as the API sends it and a single Pod are read, too") {
  Json item = MakePod("p", 2);
  item.erase("kind");
  item.erase("apiVersion");
  const Json list = {{"kind", "PodList"}, {"apiVersion", "v1"}, {"items", Json::array({item})}};
  CHECK(NamesIn(ScanJson(list)) == Words{"p"});
  CHECK(NamesIn(ScanJson(MakePod("alone", 2))) == Words{"alone"});
}

TEST_CASE("What kubectl writes as YAML is read, too") {
  const std::string yaml =
      "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: a, namespace: llm}\n"
      "  spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 2}}}]}\n---\n"
      "kind: Pod\nmetadata: {name: b, namespace: llm}\nspec: {containers: [{name: c}]}\n";
  const Json report = Json::parse(Scan(yaml, {"-f", "-", "--all", "--output", "json"}).out);
  CHECK(report["summary"]["scanned"] == 2);
  CHECK(report["summary"]["tooSmall"] == 1);
}

TEST_CASE("Flags narrow the pods, widen them, and set the installation's numbers") {
  const Json list =
      MakeList({MakePod("a", 2, "one"), MakePod("b", 2, "two"), MakePod("idle", 0, "two")});
  CHECK(NamesIn(ScanJson(list)) == Words{"a", "b"});
  CHECK(NamesIn(ScanJson(list, {"-A"})) == Words{"a", "b"});
  CHECK(NamesIn(ScanJson(list, {"-n", "two"})) == Words{"b"});
  CHECK(NamesIn(ScanJson(list, {"--namespace", "two", "--all"})) == Words{"b", "idle"});
  CHECK(ScanJson(list, {"--size-per-gpu", "4Gi"})["pods"][0]["wouldGetBytes"] == 8ll << 30);
  CHECK(ScanJson(list, {"--max-size", "1Gi"})["pods"][0]["wouldGetBytes"] == 1ll << 30);
}

TEST_CASE("What is wrong with a part is a warning, what is wrong with a pod ends the scan") {
  const Json bad_service = MakeService("bad", {{"tensorParallelSize", "two"}});
  const Json bad_namespace =
      MakeNamespace("odd", true, {{"shm-operator.dev/size-per-gpu", "much"}});
  const Outcome warned = Scan(MakeList({bad_service, bad_namespace, MakePod("p", 2)}).dump());
  CHECK(warned.code == 1);
  CHECK(Has(warned.err, "warning: InferenceService llm/bad: spec.tensorParallelSize"));
  CHECK(Has(warned.err, "warning: Namespace odd: "));
  Json bad_pod = MakePod("bad", 2);
  bad_pod["spec"]["containers"] = 7;
  const Outcome ended = Scan(MakeList({MakePod("p", 2), bad_pod}).dump());
  CHECK(ended.code == 2);
  CHECK(ended.out.empty());
  CHECK(Has(ended.err, "stdin: items[1]: Pod llm/bad: spec.containers"));
}

TEST_CASE("scan: bad input ends with 2, says what is wrong with what, and leaves stdout empty") {
  struct Case {
    const char* name;
    std::string input;
    Words flags;
    const char* said;
  };
  const Words from_stdin = {"-f", "-"};
  const std::string deep =
      R"({"kind":"List","items":[)" + std::string(600, '[') + std::string(600, ']') + "]}";
  const std::vector<Case> cases = {
      {"nothing", " \n", from_stdin, "stdin: is empty"},
      {"YAML of nothing", "apiVersion: v1\nkind: List\n", from_stdin, "neither a List nor a Pod"},
      {"YAML cut short", "kind: List\nitems: [\n", from_stdin, "stdin:2: "},
      {"two keys", "kind: List\nitems: []\nitems: []\n", from_stdin, "stdin:3: items: the key"},
      {"cut short", R"({"kind":"List","items":[{"kind":"Po)", from_stdin, "is not JSON at byte"},
      {"more than one", "{}{}", from_stdin, "is not JSON at byte"},
      {"no UTF-8", "{\"a\":\"\xff\"}", from_stdin, "is not JSON at byte"},
      {"a number", "7", from_stdin, "stdin:1: is no object"},
      {"an array", "[]", from_stdin, "is no object"},
      {"another kind", R"({"kind":"Deployment","spec":{}})", from_stdin,
       "stdin: kind: \"Deployment\" is neither a List nor a Pod"},
      {"no kind", "{}", from_stdin, "neither a List nor a Pod"},
      {"items that are no list", R"({"kind":"List","items":{"kind":"Pod"}})", from_stdin,
       "stdin: items is no list"},
      {"deep", deep, from_stdin, "stdin: nests deeper than 512"},
      {"very deep", std::string(1000000, '['), from_stdin, "nests deeper than 512"},
      {"a single Pod that is none", R"({"kind":"Pod","spec":{}})", from_stdin, "stdin: items[0]"},
      {"no such file", "", {"-f", "/nowhere/list.json"}, "\"/nowhere/list.json\" cannot be read"},
      {"a folder", "", {"-f", "/"}, "/: "},
      {"no value", "", {"-f", ""}, "--filename"},
      {"file and kubeconfig", "", {"-f", "-", "--kubeconfig", "x"}, "--kubeconfig"},
      {"all and one", "", {"-f", "-", "-A", "-n", "x"}, "--namespace"},
      {"size", "{}", {"-f", "-", "--size-per-gpu", "much"}, "--size-per-gpu: \"much\""},
      {"output", "{}", {"-f", "-", "--output", "xml"}, "xml"},
      {"no kubeconfig", "", {"--kubeconfig", "/nowhere/config"}, "/nowhere/config"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const Outcome outcome = Scan(c.input, c.flags);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(Has(outcome.err, c.said));
  }
}

TEST_CASE("A kubeconfig with an exec plugin is refused, and -f offered by the help") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("shmctl-scan-test-" + std::to_string(getpid()));
  std::ofstream(path) << "current-context: c\n"
                         "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
                         "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
                         "users: [{name: u, user: {exec: {command: x}}}]\n";
  const Outcome outcome = Scan("", {"--kubeconfig", path});
  CHECK(outcome.code == 2);
  CHECK(Has(outcome.err, "exec plugins are not run"));
  const Outcome other = Scan("", {"--kubeconfig", path, "--context", "absent"});
  CHECK(Has(other.err, "there is none called 'absent'"));
  std::filesystem::remove(path);
  const Outcome help = Scan("", {"--help"});
  CHECK(help.code == 0);
  CHECK(Has(help.out, "shmctl scan -f -"));
  CHECK(Has(help.out, "Exit codes: 0 all have enough, 1 some pod is TooSmall, 2 bad input"));
}

}  // namespace
}  // namespace shm::cli
