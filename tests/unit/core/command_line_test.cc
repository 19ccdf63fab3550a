#include "core/command_line.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace shm {
namespace {

using Strings = std::vector<std::string>;

// Each command as "[word][word]", a word that cannot be told as "[?text]".
Strings Read(const Strings& command, const std::vector<EnvVar>& env = {}, std::size_t reading = 0) {
  Strings shown;
  for (const SimpleCommand& one : ReadCommandLine(command, {}, PodEnv(env), reading).commands) {
    std::string text;
    for (const Word& word : one.words) text += (word.known() ? "[" : "[?") + word.text + "]";
    shown.push_back(text);
  }
  return shown;
}

TEST_CASE("The kubelet's references are expanded as the kubelet does it") {
  struct Case {
    std::string text;
    std::string expected;
    std::vector<std::string> unknown = {};
    std::vector<std::string> missing = {};
  };
  const std::vector<EnvVar> list = {{"D", "0"},          {"A", "1"},
                                    {"A0", "0", true},   {"A0", "7"},
                                    {"D", "4", true},    {"B", "$(A)$(LATER)$$(A)"},
                                    {"LATER", "2"},      {"SECRET", "", true},
                                    {"C", "x$(SECRET)"}, {"D", "1"},
                                    {"D", "2"}};
  const PodEnv env(list);
  const std::vector<Case> cases = {
      {"", ""},
      {"plain", "plain"},
      {"$(A)", "1"},
      {"-$(A)-$(A)-", "-1-1-"},
      {"$(B)", "1$(LATER)$(A)"},
      {"$(D)", "2"},
      {"$(A0)", "7"},
      {"$$(A)", "$(A)"},
      {"$$$(A)", "$1"},
      {"$A ${A} $ $", "$A ${A} $ $"},
      {"$(A", "$(A"},
      {"$(A$(A)", "$(A$(A)", {}, {"A$(A"}},
      {"$()", "$()", {}, {""}},
      {"$(NONE)", "$(NONE)", {}, {"NONE"}},
      {"$(SECRET)", "$(SECRET)", {"SECRET"}},
      {"$(C)", "$(C)", {"C"}},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const ExpandedText result = env.Expand(c.text);
    CHECK(result.text == c.expected);
    CHECK(result.unknown == c.unknown);
    CHECK(result.missing == c.missing);
  }
}

TEST_CASE("An env list that doubles itself ends as unknown") {
  std::vector<EnvVar> env = {{"V0", "xxxxxxxx"}};
  for (int i = 1; i < 64; ++i) {
    const std::string before = "$(V" + std::to_string(i - 1) + ")";
    env.push_back({"V" + std::to_string(i), before + before});
  }
  const PodEnv doubled(env);
  CHECK(doubled.Value("V10").has_value());
  CHECK(doubled.IsUnknown("V63"));

  env = {{"BIG", std::string(1 << 15, 'x')}};
  for (int i = 0; i < 10'000; ++i) env.push_back({"V" + std::to_string(i), "$(BIG)"});
  const PodEnv copied(env);
  CHECK(copied.Value("V0").has_value());
  CHECK(copied.IsUnknown("V9999"));
}

TEST_CASE("A shell's script becomes its simple commands") {
  struct Case {
    std::string script;
    Strings expected;
  };
  const std::vector<Case> cases = {
      {"", {}},
      {"a b", {"[a][b]"}},
      {"a 'b c' \"d e\" f\\ g", {"[a][b c][d e][f g]"}},
      {"a '' \"\"", {"[a][][]"}},
      {"a\"b\"'c'd", {"[abcd]"}},
      {"a \\\n b", {"[a][b]"}},
      {"a \"x\\\ny\\z\\\"\"", {"[a][xy\\z\"]"}},
      {"a; b && c || d | e & f\ng", {"[a]", "[b]", "[c]", "[d]", "[e]", "[f]", "[g]"}},
      {"(a; b) && { c; }", {"[a]", "[b]", "[c]"}},
      {"a # b\nc#d", {"[a]", "[c#d]"}},
      {"X=1 Y=2 a X=3", {"[a][X=3]"}},
      {"X=1; a $X \"$X\" '$X' \\$X", {"[a][1][1][$X][$X]"}},
      {"X='b c'; a $X \"$X\"", {"[a][b][c][b c]"}},
      {"X='b c' ; Y=$X; a \"$Y\"", {"[a][b c]"}},
      {"export X=1 Y=\"2 3\"; a $X \"$Y\"", {"[a][1][2 3]"}},
      {"X=1 a $X", {"[a][?$X]"}},
      {"a $X \"b$X\"", {"[a][?$X][?b$X]"}},
      {"a ${X:-1} ${X-2} ${X:+3} $X", {"[a][1][2][?${X:+3}][?$X]"}},
      {"X=; a ${X:-1} ${X-2} ${X:+3}", {"[a][1]"}},
      {"X=9; a ${X:-1} ${X:+3} ${X%9} ${#X}", {"[a][9][3][?${X%9}][?${#X}]"}},
      {"a ${X:=1} $X", {"[a][1][1]"}},
      {"a $(b 'c)' (d)) e", {"[a][?$(b 'c)' (d))][e]"}},
      {"X=3; a $((X)) $(($X*2+1)) $(( (1 + ${X}) % 3 )) \"$((2*-X))\"", {"[a][3][7][1][-6]"}},
      {"a $((X)) $((08)) $((1/0)) $((1;2)) $((9223372036854775807+1))",
       {"[a][?$((X))][?$((08))][?$((1/0))][?$((1;2))][?$((9223372036854775807+1))]"}},
      {"X=b; a $((X)) $((", {"[a][?$((X))][?$((]"}},
      {"a `b c` d", {"[a][?`b c`][d]"}},
      {"a $? $# $! x$", {"[a][?$?][?$#][?$!][x$]"}},
      {"a >f 2>&1 <g >>h b &>i c", {"[a][b][c]"}},
      {"a 2 >f", {"[a][2]"}},
      {"a <<E b\nx\nE\nc", {"[a][b]", "[c]"}},
      {"a <<-'E'\n\tx\n\tE\nc", {"[a]", "[c]"}},
      {"a <<< b c", {"[a][c]"}},
      {"if a; then b; elif c; then d; else e; fi; f", {"[a]", "[b]", "[c]", "[d]", "[e]", "[f]"}},
      {"for i in 1 2; do a $i; done", {"[a][?$i]"}},
      {"case $X in y) a;; esac", {"[a]"}},
      {"X=1; if a; then X=1; fi; c $X", {"[a]", "[c][1]"}},
      {"X=1; a && X=2 && c $X", {"[a]", "[c][2]"}},
      {"unset X; a $X", {"[a][?$X]"}},
      {"set -- b c; a \"$@\" $2", {"[a][b][c][c]"}},
      {"sh -c 'a b'; c", {"[a][b]", "[c]"}},
      {"X='b c'; eval \"a $X ${Y}\"; d", {"[a][b][c][?${Y}]", "[d]"}},
      {"eval", {}},
      {"'unclosed", {"[unclosed]"}},
      {"a \"unclosed", {"[a][unclosed]"}},
      {"a ${unclosed", {"[a][?${unclosed]"}},
      {"a $(unclosed", {"[a][?$(unclosed]"}},
  };
  for (const Case& c : cases) {
    INFO(c.script);
    CHECK(Read({"sh", "-c", c.script}) == c.expected);
  }
}

TEST_CASE("A variable that a condition decides has each of its values in a reading of its own") {
  struct Case {
    std::string script;
    std::vector<Strings> readings;
  };
  const std::vector<Case> cases = {
      {"X=1; c $X", {{"[c][1]"}}},
      {"X=1; if a; then X=2; b $X; fi; c $X",
       {{"[a]", "[b][2]", "[c][1]"}, {"[a]", "[b][2]", "[c][2]"}}},
      {"X=1; a && X=2; c $X", {{"[a]", "[c][1]"}, {"[a]", "[c][2]"}}},
      {"a && X=2; c $X", {{"[a]", "[c]"}, {"[a]", "[c][2]"}}},
      {"X=1; a && X=`b`; c $X", {{"[a]", "[c][1]"}, {"[a]", "[c][?$X]"}}},
      {"X=1; if a; then X=2; else X=1; fi; c $X", {{"[a]", "[c][1]"}, {"[a]", "[c][2]"}}},
      {"X=1 Y=1; a && X=2; if b; then Y=2; else Y=3; fi; e $X $Y",
       {{"[a]", "[b]", "[e][1][1]"}, {"[a]", "[b]", "[e][2][2]"}, {"[a]", "[b]", "[e][2][3]"}}},
      {"X=0; if a; then X=1; X=2; X=3; X=4; fi; c $X", {{"[a]", "[c][?$X]"}}},
      {"bash -c 'X=1; a && X=2; c $X'; d", {{"[a]", "[c][1]", "[d]"}, {"[a]", "[c][2]", "[d]"}}},
  };
  for (const Case& c : cases) {
    INFO(c.script);
    const Strings command = {"sh", "-c", c.script};
    CHECK(ReadCommandLine(command, {}, PodEnv()).readings == c.readings.size());
    for (std::size_t i = 0; i < c.readings.size(); ++i)
      CHECK(Read(command, {}, i) == c.readings[i]);
  }
}

TEST_CASE("A script is found behind a shell's options and what starts the shell") {
  const Strings expected = {"[a][b]"};
  for (const Strings& command :
       {Strings{"sh", "-c", "a b"}, Strings{"/bin/bash", "-c", "a b"},
        Strings{"bash", "-ec", "a b"}, Strings{"bash", "-e", "-c", "a b"},
        Strings{"bash", "-o", "pipefail", "-c", "a b"},
        Strings{"bash", "-euxo", "pipefail", "-c", "a b"}, Strings{"bash", "--login", "-c", "a b"},
        Strings{"bash", "-c", "--", "a b"}, Strings{"tini", "--", "sh", "-c", "a b"},
        Strings{"env", "X=1", "sh", "-c", "a b"}, Strings{"a", "b"}}) {
    CHECK(Read(command) == expected);
  }
  CHECK(Read({"sh", "run.sh", "-c"}) == Strings{"[sh][run.sh][-c]"});
  CHECK(Read({"sh", "-c"}) == Strings{"[sh][-c]"});
  CHECK(Read({"sh", "-c", "a $0 $1 \"$@\"", "x", "y", "z"}) == Strings{"[a][x][y][y][z]"});
  CHECK(Read({"ray", "symmetric-run", "-x", "--", "sh", "-c", "a b"}) ==
        Strings{"[ray][symmetric-run][-x][--]", "[a][b]"});
  CHECK(Read({"ray", "symmetric-run", "--"}) == Strings{"[ray][symmetric-run][--]"});
  CHECK(Read({"mpirun", "-n", "2", "-x", "A", "bash", "-c", "a b; c"}) == Strings{"[a][b]", "[c]"});
  CHECK(Read({"mpirun", "-n", "2", "a", "bash"}) == Strings{"[mpirun][-n][2][a][bash]"});
  CHECK(Read({"echo", "sh", "-c", "a b"}) == Strings{"[echo][sh][-c][a b]"});
}

TEST_CASE("References of the kubelet come before the shell's") {
  const std::vector<EnvVar> env = {{"X", "1; b"}, {"S", "", true}};
  CHECK(Read({"sh", "-c", "a $(X)"}, env) == Strings{"[a][1]", "[b]"});
  CHECK(Read({"sh", "-c", "a \"$X\" $(S)"}, env) == Strings{"[a][1; b][?$(S)]"});
  CHECK(Read({"a", "$(X)", "$(S)", "$X"}, env) == Strings{"[a][1; b][?$(S)][$X]"});
}

TEST_CASE("Scripts that are too long, too deep or multiply themselves are a warning") {
  const auto warnings = [](const std::string& script) {
    return ReadCommandLine({"sh", "-c", script}, {}, PodEnv()).warnings.size();
  };
  CHECK(warnings(std::string(1000, 'a')) == 0);
  CHECK(warnings(std::string(kMaxScriptBytes + 1, 'a')) == 1);
  std::string doubling = "set -- a b;";
  for (int i = 0; i < 64; ++i) doubling += "set -- \"$@\" \"$@\";";
  CHECK(warnings(doubling) == 1);
  std::string deep = "a";
  for (int i = 0; i < 8; ++i) {
    std::string quoted;
    for (const char c : deep)
      quoted += (c == '\\' || c == '"') ? std::string("\\") + c : std::string(1, c);
    deep = "sh -c \"" + quoted + "\"";
  }
  CHECK(warnings(deep) == 1);
}

TEST_CASE("Scripts that start scripts share what all of them may expand to") {
  const std::vector<EnvVar> env = {{"A", std::string(PodEnv::kMaxValueBytes, 'x')}};
  std::string inner = "a";
  for (int i = 0; i < 30; ++i) inner += " $0";
  std::string script;
  for (int i = 0; i < 10; ++i) script += "sh -c '" + inner + "' \"$A\";";
  const CommandLine line = ReadCommandLine({"sh", "-c", script}, {}, PodEnv(env));
  std::size_t bytes = 0;
  for (const SimpleCommand& command : line.commands) {
    for (const Word& word : command.words) bytes += word.text.size() + kWordCost;
  }
  CHECK(bytes <= kMaxReadBytes);
  CHECK_FALSE(line.warnings.empty());
}

TEST_CASE("Command lines share their room; where it ends one is not read to its end") {
  std::size_t room = 2 * (1 + kWordCost);
  const auto words = [&room](const Strings& command) {
    const CommandLine line = ReadCommandLine(command, {}, PodEnv(), 0, &room);
    std::size_t count = 0;
    for (const SimpleCommand& one : line.commands) count += one.words.size();
    CHECK(line.warnings.empty() == (count == command.size()));
    return count;
  };
  CHECK(words({"a"}) == 1);
  CHECK(words({"b", "c"}) == 1);
  CHECK(words({"d"}) == 0);
}

}  // namespace
}  // namespace shm
