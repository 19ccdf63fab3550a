// What the programs expose at /metrics is what docs/metrics.md says: the family, its type, its
// labels, and of labels with listed values none but these.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using std::chrono::seconds;

struct Family {
  std::string type;
  std::map<std::string, std::set<std::string>> labels;  // no values: any
};
using Families = std::map<std::string, Family>;

std::vector<std::string> Split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find(separator, begin)) != std::string::npos;) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// What stands between backticks.
std::vector<std::string> Quoted(const std::string& text) {
  std::vector<std::string> found;
  const std::vector<std::string> parts = Split(text, "`");
  for (std::size_t i = 1; i < parts.size(); i += 2) found.push_back(parts[i]);
  return found;
}

// "`outcome`: `good`, `bad`; `host` (one value)"
void ReadLabels(const std::string& cell, Family& family) {
  for (const std::string& part : Split(cell, "; ")) {
    const std::vector<std::string> words = Quoted(part);
    if (words.empty()) continue;
    std::set<std::string>& values = family.labels[words[0]];
    if (part.find("`: ") != std::string::npos) values.insert(words.begin() + 1, words.end());
  }
}

// By the heading of their section.
std::map<std::string, Families> Documented() {
  std::map<std::string, Families> sections;
  std::ifstream file(SHM_SOURCE_DIR "/docs/metrics.md");
  std::string section;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) section = line.substr(3);
    const std::vector<std::string> cells = Split(line, " | ");
    if (line.rfind("| `", 0) != 0 || cells.size() < 4) continue;
    Family& family = sections[section][Quoted(cells[0]).at(0)];
    family.type = cells[1];
    // An empty cell leaves nothing between two bars.
    if (cells[2].rfind("| ", 0) != 0) ReadLabels(cells[2], family);
  }
  return sections;
}

// Of `name{host="h",code="200"} 3`.
std::map<std::string, std::string> LabelsOf(const std::string& sample) {
  std::map<std::string, std::string> labels;
  const std::vector<std::string> parts = Split(sample, "\"");
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    const std::string before = parts[i].substr(parts[i].find_last_of("{,") + 1);
    labels[before.substr(0, before.find('='))] = parts[i + 1];
  }
  labels.erase("le");
  return labels;
}

// How many families `text` has.
int CheckExposed(const std::string& text, const Families& documented) {
  int families = 0;
  const Family* family = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    if (line.rfind("# TYPE ", 0) == 0) {
      const std::vector<std::string> words = Split(line, " ");
      const auto found = documented.find(words.at(2));
      family = found == documented.end() ? nullptr : &found->second;
      CHECK(family);
      if (family) CHECK(family->type == words.at(3));
      ++families;
    } else if (line.rfind('#', 0) != 0 && family) {
      const auto labels = LabelsOf(line);
      CHECK(labels.size() == family->labels.size());
      for (const auto& [name, value] : labels) {
        const auto known = family->labels.find(name);
        REQUIRE(known != family->labels.end());
        CHECK((known->second.empty() || known->second.count(value) == 1));
      }
    }
  }
  return families;
}

}  // namespace

TEST_CASE("both programs expose what docs/metrics.md says, and nothing else") {
  Installation& installation = Installation::Get();
  const std::string ns = NewNamespace("metrics", /*enabled=*/true);
  // A review, so that the webhook has something to tell of.
  Cluster().Must("-n " + ns + " create -f -",
                 R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"},
                     "spec": {"containers": [{"name": "c", "image": "example/c"}]}})");
  std::map<std::string, Families> sections = Documented();
  for (const auto& [section, port, least] :
       {std::tuple{"shm-operator", installation.operator_health_port(), 13},
        std::tuple{"shm-webhook", installation.webhook_health_port(), 9}}) {
    Families documented = sections[section];
    documented.merge(Families(sections["Both programs"]));
    const ShellResult scraped =
        Shell("curl -sf http://127.0.0.1:" + std::to_string(port) + "/metrics");
    REQUIRE(scraped.exit_code == 0);
    INFO(section << "\n" << scraped.output);
    CHECK(CheckExposed(scraped.output, documented) >= least);
  }
}

}  // namespace shm::test
