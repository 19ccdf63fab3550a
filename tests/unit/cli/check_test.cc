// `shmctl check`: over the folder of manifests in tests/data/check, whose answers are goldens
// beside it, and over single pods.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/check_report.h"
#include "cli/finding.h"
#include "tests/unit/cli/render_run.h"
#include "tests/unit/cli/scan_objects.h"

namespace shm::cli {
namespace {

using namespace testing;
using render_test::Contents;
using render_test::Folder;

const std::string kFolder = SHM_TEST_DATA "/check/";
constexpr const char* kServiceLabel = "shm-operator.dev/service";

Outcome Check(const std::string& input, const Words& flags = {}) {
  Words args = {"check"};
  args.insert(args.end(), flags.begin(), flags.end());
  return RunWith(args, input);
}

Json FindingsIn(const std::string& input, Words flags = {}) {
  flags.insert(flags.end(), {"-o", "json"});
  const Outcome outcome = Check(input, flags);
  INFO(outcome.err);
  REQUIRE(outcome.code != 2);
  return Json::parse(outcome.out).at("findings");
}

Json Findings(const std::vector<Json>& items, Words flags = {}) {
  return FindingsIn(MakeList(items).dump(), std::move(flags));
}

// "error TooSmall", one a finding.
Words RulesIn(const Json& findings) {
  Words rules;
  for (const Json& finding : findings) {
    rules.push_back(finding.at("severity").get<std::string>() + " " +
                    finding.at("rule").get<std::string>());
  }
  return rules;
}

// As it would be from within the folder.
std::string Relative(std::string text) {
  for (const std::string& prefix : {"file://" + kFolder, kFolder}) {
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
  }
  return text;
}

void CompareGolden(const std::string& name, const std::string& text) {
  if (std::getenv("SHM_UPDATE_GOLDEN")) std::ofstream(kFolder + name) << text;
  CHECK(text == Contents(kFolder + name));
}

const Json kVllm2 = {"vllm", "serve", "m", "--tensor-parallel-size", "2"};

// vLLM on two GPUs: it may take 1156Mi, and gets 2Gi.
Json Engine(const std::string& name_space = "llm") {
  return WithArgs(MakePod("p", 2, name_space), kVllm2);
}

TEST_CASE("check says of a folder of manifests what its goldens say, in every format") {
  const Words flags = {"-f", kFolder + "manifests", "--severity", "note"};
  for (const auto& [format, file] : std::vector<std::pair<std::string, std::string>>{
           {"text", "expected.txt"}, {"json", "expected.json"}, {"sarif", "expected.sarif"}}) {
    Words all = flags;
    all.insert(all.end(), {"-o", format});
    const Outcome outcome = Check("", all);
    CHECK(outcome.code == 1);
    std::string out = Relative(outcome.out);
    // The one place where the version stands.
    const std::string version = "\"version\": \"" SHM_VERSION "\"";
    if (const auto at = out.find(version); at != std::string::npos) {
      out.replace(at, version.size(), "\"version\": \"VERSION\"");
    }
    CompareGolden(file, out);
    CHECK(Has(outcome.err, "pods in") == (format == "text"));
  }
}

TEST_CASE("A pod passes that starts with enough, whoever sees to it") {
  struct Case {
    const char* name;
    std::vector<Json> items;
    Words flags;
    Words rules;
  };
  const Json enough = WithVolume(Engine(), Memory("2Gi"));
  const Json service =
      MakeService("s", {{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"a", "b"}}}}}});
  const Json labelled = WithLabel(Engine(), kServiceLabel, "s");
  Json capped_service = service;
  capped_service["spec"]["sharedMemory"] = {{"size", "1Gi"}};
  const Json enabled = MakeNamespace("llm", true);
  const Json closed = MakeNamespace("llm", false);
  const std::vector<Case> cases = {
      {"by its volume", {enough}, {}, {}},
      {"by its volume, without a webhook", {enough}, {"--webhook", "absent"}, {}},
      {"by the namespace's label", {Engine(), enabled}, {}, {}},
      {"by its own label", {labelled, service, closed}, {}, {}},
      {"by a label of all namespaces", {Engine(), closed}, {"--webhook", "everywhere"}, {}},
      {"without GPUs", {MakePod("p", 0)}, {}, {}},
      {"an unbounded volume", {WithVolume(Engine(), Memory(""))}, {"--webhook", "absent"}, {}},
      {"no label", {Engine(), closed}, {}, {"error NotCovered"}},
      {"a namespace that is not there", {Engine()}, {}, {"warning NotCovered"}},
      {"A11: kube-system",
       {Engine("kube-system")},
       {"--webhook", "everywhere"},
       {"error NotCovered"}},
      {"no webhook", {Engine(), enabled}, {"--webhook", "absent"}, {"error TooSmall"}},
      {"an installation that audits", {Engine(), enabled}, {"--audit"}, {"error TooSmall"}},
      {"enough for the engine, less than it would get",
       {WithVolume(Engine(), Memory("1200Mi"))},
       {"--webhook", "absent"},
       {"warning TooSmall"}},
      {"a bound of the installation",
       {Engine(), enabled},
       {"--max-size", "1Gi"},
       {"error BelowComputedNeed"}},
      {"the same without a webhook",
       {Engine(), enabled},
       {"--max-size", "1Gi", "--webhook", "absent"},
       {"error TooSmall"}},
      {"a service's own size", {labelled, capped_service}, {}, {"error BelowComputedNeed"}},
      {"a larger volume than that bound",
       {WithVolume(Engine(), Memory("4Gi")), enabled},
       {"--max-size", "1Gi"},
       {}},
      {"a label that names nothing", {labelled}, {}, {"error UnknownService"}},
      {"the same without a webhook", {labelled}, {"--webhook", "absent"}, {"error TooSmall"}},
      {"policy Reject",
       {WithMemoryLimit(Engine(), "2Gi"), enabled},
       {"--memory-limit-policy", "Reject"},
       {"error Refused"}},
      {"policy Reject, where nobody looks",
       {WithVolume(WithMemoryLimit(Engine(), "2Gi"), Memory("2Gi")), closed},
       {"--memory-limit-policy", "Reject"},
       {}},
      {"policy Raise",
       {WithMemoryLimit(Engine(), "1Gi"), enabled},
       {"--memory-limit-policy", "Raise"},
       {}},
      {"opted out",
       {WithLabel(Engine(), "shm-operator.dev/inject", "false"), enabled},
       {},
       {"warning OptedOut"}},
      {"opted out, with enough", {WithLabel(enough, "shm-operator.dev/inject", "false")}, {}, {}},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(RulesIn(Findings(c.items, c.flags)) == c.rules);
  }
}

TEST_CASE("check ends with 1 exactly where it has findings, and severity says what is one") {
  struct Case {
    const char* severity;
    int code;
  };
  const std::string unknown_namespace = Engine().dump();  // a warning
  for (const Case& c : {Case{"error", 0}, Case{"warning", 1}, Case{"note", 1}}) {
    const Outcome outcome = Check(unknown_namespace, {"--severity", c.severity});
    CHECK(outcome.code == c.code);
    CHECK(outcome.out.empty() == (c.code == 0));
    CHECK(Has(outcome.err, "1 pod in 1 document checked: "));
    CHECK(Has(outcome.err, "1 less severe not shown (--severity note)") == (c.code == 0));
  }
}

TEST_CASE("A template of an InferenceService is judged as the operator makes its pods") {
  const Json container = {{"name", "vllm"}, {"image", "vllm/vllm-openai"}};
  Json service =
      MakeService("s", {{"tensorParallelSize", 2},
                        {"template", {{"spec", {{"containers", Json::array({container})}}}}}});
  CHECK(Findings({service}).empty());
  service["spec"]["sharedMemory"]["size"] = "100Mi";
  CHECK(RulesIn(Findings({service})) == Words{"error BelowComputedNeed"});
  CHECK(Findings({service})[0].at("field") == "items[0].spec.template");
  // Without an operator it has no pods.
  CHECK(Findings({service}, {"--webhook", "absent"}).empty());
  service["spec"]["template"]["spec"]["containers"] = "none";
  CHECK(RulesIn(Findings({service})) == Words{"error InvalidPod"});
  service["spec"]["template"] = "none";
  CHECK(Findings({service}).empty());
}

TEST_CASE("An InferenceService that is invalid is one finding, and its pods none") {
  const Json service =
      MakeService("s", {{"tensorParallelSize", 0}, {"selector", {{"matchLabels", {{"a", "b"}}}}}});
  const Json findings = Findings({WithLabel(Engine(), kServiceLabel, "s"), service});
  CHECK(RulesIn(findings) == Words{"error InvalidService"});
  CHECK(findings[0].at("field") == "items[1].spec.tensorParallelSize");
  CHECK(Has(findings[0].at("message"), "0 is not a whole number from 1 to 1024"));
}

TEST_CASE("A finding names its file, line, document and object") {
  const Folder folder;
  const std::string pods =
      folder.Write("pods.yaml", "# none\n---\n" + render_test::Pod("a", "one") + "---\n" +
                                    render_test::Pod("b", "two"));
  const Json findings = FindingsIn("", {"-f", pods});
  REQUIRE(findings.size() == 2);
  const Json& second = findings[1];
  CHECK(second.at("file") == pods);
  CHECK(second.at("document") == 3);
  CHECK(second.at("kind") == "Pod");
  CHECK(second.at("name") == "b");
  CHECK(second.at("namespace") == "two");
  CHECK(second.at("field").is_null());
  // The line that its content begins at.
  const std::string text = Contents(pods);
  const auto at = text.find("apiVersion", text.find("name: a"));
  CHECK(second.at("line") == std::count(text.begin(), text.begin() + at, '\n') + 1);
}

TEST_CASE("Bad input ends check with 2, names the place, and leaves stdout empty") {
  struct Case {
    std::string input;
    Words flags;
    std::string place;
  };
  const std::vector<Case> cases = {
      {"a: [", {}, "stdin:1"},
      {"- 1", {}, "stdin:1"},
      {"", {"-f", "/does/not/exist"}, "/does/not/exist"},
      {"", {"--webhook", "perhaps"}, "--webhook"},
      {"", {"--severity", "low"}, "--severity"},
      {"", {"-o", "yaml"}, "--output"},
      {"", {"--max-size", "0"}, "--max-size"},
      {"", {"-f", "-", "--services", "-"}, "--services"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = Check(c.input, c.flags);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(Has(outcome.err, c.place));
  }
}

TEST_CASE("What went through render has nothing that is too small, whatever the webhook does") {
  for (const char* folder : {"/check/manifests", "/manifests"}) {
    for (const auto& entry :
         render_test::fs::directory_iterator(SHM_TEST_DATA + std::string(folder))) {
      // The one that cannot be rendered at all.
      if (entry.path().filename() == "4-list.json") continue;
      const std::string path = entry.path();
      INFO(path);
      const Words services = {"--services", kFolder + "manifests/1-namespaces.yaml"};
      Words flags = {"render", "-f", path};
      flags.insert(flags.end(), services.begin(), services.end());
      const Outcome rendered = RunWith(flags);
      if (rendered.code == 2) continue;  // an InferenceService that is invalid
      for (const char* webhook : {"installed", "everywhere", "absent"}) {
        Words check = services;
        check.insert(check.end(), {"--webhook", webhook});
        for (const std::string& rule : RulesIn(FindingsIn(rendered.out, check))) {
          const bool unknown = Has(rendered.err, "names InferenceService");
          CHECK((unknown || (!Has(rule, "TooSmall") && !Has(rule, "NotCovered")) ||
                 Has(rule, "LimitTooSmall")));
        }
      }
    }
  }
}

TEST_CASE("SARIF has what its schema requires, and every result's rule") {
  const Json sarif = Json::parse(Check("", {"-f", kFolder + "manifests", "-o", "sarif"}).out);
  CHECK(sarif.at("version") == "2.1.0");
  REQUIRE(sarif.at("runs").size() == 1);
  const Json& run = sarif["runs"][0];
  const Json& driver = run.at("tool").at("driver");
  CHECK(driver.at("name") == "shmctl");
  CHECK(driver.at("version") == SHM_VERSION);
  REQUIRE_FALSE(run.at("results").empty());
  for (const Json& result : run["results"]) {
    const Json& rule = driver.at("rules").at(result.at("ruleIndex").get<std::size_t>());
    CHECK(rule.at("id") == result.at("ruleId"));
    CHECK_FALSE(rule.at("shortDescription").at("text").get<std::string>().empty());
    CHECK(ParseSeverity(result.at("level").get<std::string>()));
    CHECK_FALSE(result.at("message").at("text").get<std::string>().empty());
    const Json& place = result.at("locations").at(0).at("physicalLocation");
    CHECK(Has(place.at("artifactLocation").at("uri"), "file:///"));
    CHECK(place.at("region").at("startLine") >= 1);
  }
}

TEST_CASE("A file is a URI of SARIF's") {
  CHECK(FileUri("a/b.yaml") == "a/b.yaml");
  CHECK(FileUri("./a/../b c.yaml") == "b%20c.yaml");
  CHECK(FileUri("/x/ä:1.yaml") == "file:///x/%C3%A4%3A1.yaml");
}

TEST_CASE("Every finding of the golden pods has a rule, and each rule stands once") {
  std::set<std::string> ids;
  for (const Rule& rule : Rules()) CHECK(ids.insert(std::string(rule.id)).second);
  int pods = 0;
  for (const auto& entry : render_test::fs::directory_iterator(SHM_TEST_DATA "/golden")) {
    Json pod = Json::parse(Contents(entry.path() / "pod.json"));
    pod["apiVersion"] = "v1";
    pod["kind"] = "Pod";
    for (const char* webhook : {"everywhere", "absent"}) {
      for (const Json& finding :
           FindingsIn(pod.dump(), {"--webhook", webhook, "--severity", "note", "-n", "llm"})) {
        CHECK(ids.contains(finding.at("rule").get<std::string>()));
      }
    }
    ++pods;
  }
  CHECK(pods > 60);
}

}  // namespace
}  // namespace shm::cli
