// What shells are offered, and that bash, zsh and fish really offer it.
#include "cli/completion.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "tests/support/shell.h"
#include "tests/unit/cli/run.h"

namespace shm::cli {
namespace {

struct Offered {
  Words words;
  std::string directive;
  bool Has(const std::string& word) const {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

Offered Offer(Words typed, const std::string& started_as = "shmctl") {
  if (started_as == "shmctl") typed.insert(typed.begin(), kCompleteWord);
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  CHECK(RunAs("/usr/bin/" + started_as, typed, in, out, err) == 0);
  CHECK(err.str().empty());
  Offered offered;
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(':')) {
      offered.directive = line;
    } else {
      offered.words.push_back(line.substr(0, line.find('\t')));
    }
  }
  return offered;
}

TEST_CASE("What may be typed next is offered, of that which the commands declare") {
  struct Case {
    Words typed;
    Words words;
    std::string directive;
  };
  const std::vector<Case> cases = {
      {{"re"}, {"render"}, ":4"},
      {{"nothing"}, {}, ":4"},
      {{"check", "--web"}, {"--webhook"}, ":4"},
      {{"check", "--webhook", ""}, {"installed", "everywhere", "absent"}, ":4"},
      {{"check", "--webhook", "a"}, {"absent"}, ":4"},
      {{"check", "--webhook=a"}, {"--webhook=absent"}, ":4"},
      {{"check", "--webhook", "="}, {"installed", "everywhere", "absent"}, ":4"},
      {{"check", "--webhook", "=", "e"}, {"everywhere"}, ":4"},
      {{"scan", "-o", "t"}, {"table"}, ":4"},
      {{"scan", "-A", "--al"}, {"--all-namespaces", "--all"}, ":4"},
      {{"check", "-f", "x"}, {}, ":0"},
      {{"check", "-n", ""}, {}, ":4"},
      {{"completion", ""}, {"bash", "zsh", "fish"}, ":4"},
  };
  for (const Case& c : cases) {
    const Offered offered = Offer(c.typed);
    INFO(c.typed.back());
    CHECK(offered.words == c.words);
    CHECK(offered.directive == c.directive);
  }
}

TEST_CASE("Every command that the help names is offered, and every option of each") {
  const Offered commands = Offer({""});
  CHECK(commands.words.size() == 7);
  for (const std::string& command : commands.words) {
    const std::string help = RunWith({command, "--help"}).out;
    INFO(help);
    const Offered flags = Offer({command, "--"});
    for (const std::string& flag : flags.words) CHECK(Has(help, flag));
    // As many as the help has at the beginning of its lines, or after a short name.
    std::size_t declared = 0;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
      declared += line.starts_with("  --") || (line.starts_with("  -") && Has(line, ",--")) ? 1 : 0;
    }
    CHECK(flags.words.size() == declared);
  }
}

TEST_CASE("As kubectl's plugin it calls itself so, and completes what kubectl asks for") {
  CHECK(Offer({"scan", "--output", "j"}, "kubectl_complete-shm").words == Words{"json"});
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  CHECK(RunAs("/usr/local/bin/kubectl-shm", {"size", "--help"}, in, out, err) == 0);
  CHECK(Has(out.str(), "kubectl shm size"));
}

// A shell's script, and a program named shmctl that answers as this one does, on the PATH.
class ShellFolder {
 public:
  explicit ShellFolder(const std::string& shell) {
    const std::string script = RunWith({"completion", shell}).out;
    REQUIRE_FALSE(script.empty());
    test::MustShell("cat >" + folder_.path() + "/script", script);
    test::MustShell("ln -s " SHM_BINARY_DIR "/bin/shmctl " + folder_.path() + "/shmctl");
  }
  std::string Run(const std::string& command) const {
    return test::MustShell("cd " + folder_.path() + " && PATH=$PWD:$PATH " + command);
  }

 private:
  test::TempDir folder_;
};

TEST_CASE("bash completes by its script: words, values behind = and files") {
  const ShellFolder bash("bash");
  const auto complete = [&](const std::string& words, int at) {
    return bash.Run("bash -c 'set -eu; touch pods.yaml; source ./script; COMP_WORDS=(" + words +
                    "); COMP_CWORD=" + std::to_string(at) +
                    "; _shmctl; printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
  };
  CHECK(complete("shmctl sc", 1) == "scan\n");
  CHECK(complete("shmctl scan --kubec", 2) == "--kubeconfig\n");
  CHECK(complete("shmctl scan -o = j", 4) == "json\n");
  CHECK(complete("shmctl check -f pod", 3) == "pods.yaml\n");
  CHECK(bash.Run("bash -c 'source ./script; complete -p shmctl'") ==
        "complete -F _shmctl shmctl\n");
}

}  // namespace
}  // namespace shm::cli
