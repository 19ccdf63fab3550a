#include "manifest/yaml_reader.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "manifest/scalar.h"

namespace shm::manifest {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Json Read(const std::string& text) {
  const ReadOutcome outcome = ReadYaml(text);
  if (const auto* failure = std::get_if<ReadFailure>(&outcome)) FAIL(failure->error.ToString());
  return std::get<Json>(outcome);
}

ReadFailure Refuse(const std::string& text) {
  const ReadOutcome outcome = ReadYaml(text);
  INFO(text.substr(0, 80));
  REQUIRE(std::holds_alternative<ReadFailure>(outcome));
  return std::get<ReadFailure>(outcome);
}

}  // namespace

TEST_CASE("YAML is typed as kubectl types it: the files that kubectl read") {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(std::string(SHM_TEST_DATA) + "/yaml")) {
    if (entry.path().extension() != ".yaml") continue;
    ++seen;
    DYNAMIC_SECTION(entry.path().filename().string()) {
      const auto golden =
          nlohmann::json::parse(ReadFile(fs::path(entry.path()).replace_extension(".json")));
      const nlohmann::json ours(Read(ReadFile(entry.path())));
      for (const auto& [key, value] : golden["spec"]["template"]["spec"].items()) {
        INFO(key);
        CHECK(ours["spec"]["template"]["spec"][key] == value);
      }
      CHECK(ours == golden);
    }
  }
  CHECK(seen >= 4);
}

TEST_CASE("Members keep the order in which they were written") {
  CHECK(Read("z: 1\na: 2\nm: {x: 1, b: 2}\n").dump() == R"({"z":1,"a":2,"m":{"x":1,"b":2}})");
}

TEST_CASE("What is wrong in YAML is told with its line and its field") {
  struct Case {
    std::string text;
    std::size_t line;
    std::string field;
    std::string message;  // a part of it
  };
  const std::vector<Case> cases = {
      {"a: 1\nb: 2\na: 3\n", 3, "a", "twice"},
      {"spec:\n  x: {b: 1, b: 2}\n", 2, "spec.x.b", "twice"},
      {"yes: 1\non: 2\n", 2, "true", "twice"},
      {"a:\n\tb: 1\n", 2, "a", "tab"},
      {"a: 1\n\tb: 2\n", 2, "", "tab"},
      {"a:\n\tb\n", 2, "a", "tab"},
      {"a:\n  - x\n\t- y\n", 3, "", "tab"},
      {"a: |\n\tx\n", 2, "", "tab"},
      {"a: \"x\n", 1, "", "scalar"},
      {"a: 'x\nb: y\n", 2, "", "scalar"},
      {"a: [1, 2\n", 1, "", "end of sequence"},
      {"a: *x\n", 1, "", "anchor"},
      {"a: &x [*x]\n", 1, "a", "anchor"},
      {"b:\n- c: .inf\n", 2, "b[0].c", ".inf"},
      {"a: .nan\n", 1, "a", ".nan"},
      {"a: !!int foo\n", 1, "a", "\"foo\" is no !!int"},
      {"a: !!binary '*'\n", 1, "a", "base64"},
      {"? {a: b}\n: c\n", 1, "", "key"},
      {"? [a]\n: c\n", 1, "", "key"},
      {"~: c\n", 1, "", "key"},
      {"a: b: c\n", 1, "", ""},
      {"a: 1\n<<: 3\n", 2, "", "<<"},
      {"a: @x\n", 1, "", ""},
      {"a:\n  b: 1\n  hostIPC true\n", 3, "", "colon"},
      {"a: 1\nhostNetwork # b: c\n# d: e\n", 2, "", ""},
      {"a: 1\nhttp://x\n", 2, "", "colon"},
      {"a: b\n...\nc: d\n", 0, "", "more than one document"},
  };
  for (const Case& bad : cases) {
    const ReadFailure failure = Refuse(bad.text);
    INFO(bad.text << failure.error.ToString());
    CHECK(failure.line == bad.line);
    CHECK(failure.error.field == bad.field);
    CHECK(failure.error.message.find(bad.message) != std::string::npos);
  }
}

TEST_CASE("Nesting a million deep is refused, in each of YAML's ways") {
  constexpr std::size_t kDeep = 1'000'000;
  const auto repeat = [](const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < kDeep; ++i) all += text;
    return all;
  };
  for (const char* opening : {"[", "{a: ", "- ", "? ", "[{", "!x ["}) {
    INFO(opening);
    Refuse(repeat(opening));
  }
}

TEST_CASE("Escapes of double-quoted text give UTF-8") {
  CHECK(Read("a: !!str \"\\N\"\n")["a"] == "\xC2\x85");
  CHECK(Read("a: \"x\\N\\_y\\x85\\u0085\\xe9z\"\n")["a"] ==
        "x\xC2\x85\xC2\xA0y\xC2\x85\xC2\x85\xC3\xA9z");
}

TEST_CASE("A last key may be without a value") {
  CHECK(Read("a: 1\nb:\n").dump() == R"({"a":1,"b":null})");
  CHECK(Read("a:\n  'b c':   # d\n\n").dump() == R"({"a":{"b c":null}})");
  CHECK(Read("? a\n").dump() == R"({"a":null})");
  CHECK(Read("a: {b, c}\n").dump() == R"({"a":{"b":null,"c":null}})");
}

TEST_CASE("What nests 400 deep is read") {
  CHECK(Read("a: " + std::string(400, '[') + std::string(400, ']')).is_object());
}

TEST_CASE("What is merged by << may itself be anchored") {
  CHECK(Read("a:\n  <<: &b {x: 1, k: [z]}\nc: *b\nd:\n  <<: [*b, {w: 2}]\n").dump() ==
        R"({"a":{"x":1,"k":["z"]},"c":{"x":1,"k":["z"]},"d":{"w":2,"x":1,"k":["z"]}})");
}

TEST_CASE("Aliases that explode are refused, and ones that nest through one another") {
  std::string laughs = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "k" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) laughs += ", " + before;
    laughs += "]\n";
  }
  CHECK(Refuse(laughs).error.message.find("aliases") != std::string::npos);

  std::string tower = "a: &a0 [x]\n";
  for (int i = 1; i < 600; ++i) {
    tower += "k" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  CHECK(Refuse(tower).error.message.find("512") != std::string::npos);
}

TEST_CASE("Binary that is no text is read as Go writes it into JSON") {
  CHECK(Read("a: !!binary aGkK\nb: !!binary YcL/\n").dump() ==
        "{\"a\":\"hi\\n\",\"b\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\"}");
}

TEST_CASE("The path of an error stays legible where keys are long") {
  const std::string field = Refuse(std::string(900, 'k') + ": {a: 1, a: 2}\n").error.field;
  CHECK(field == std::string(256, 'k') + "...");
}

TEST_CASE("The line of a field is found, in YAML and in JSON") {
  const std::string yaml = "# c\nspec:\n  a: 1\n  list:\n  - x\n  - name: y\n    z: 1\n";
  CHECK(FindYamlFields(yaml, {{"spec.a", 0}, {"spec.list[1].z", 0}, {"spec.list[2]", 0}}) ==
        FieldLines{{"spec.a", 3}, {"spec.list[1].z", 7}, {"spec.list[2]", 0}});
  CHECK(
      FindYamlFields("{\n \"spec\": {\n  \"a\": [1,\n 2]}}", {{"spec.a[1]", 0}}).at("spec.a[1]") ==
      4);
}

TEST_CASE("Scalars at the borders of their types") {
  struct Case {
    std::string text;
    Json value;
  };
  const std::vector<Case> cases = {
      {"0", 0},           {"-0", 0},
      {"007", 7},         {"0x", "0x"},
      {"+", "+"},         {"-", "-"},
      {".", "."},         {"18446744073709551615", 18446744073709551615U},
      {"1e400", "1e400"}, {"1e-400", 0},
      {"+1_0", 10},       {"_1", "_1"},
      {"1e3", 1000},      {"1.5e1", 15},
      {"2.50", 2.5},      {"0b2", "0b2"},
      {"0o8", "0o8"},     {"09.5", 9.5},
      {"1 2", "1 2"},     {"<<", "<<"}};
  for (const Case& scalar : cases) {
    INFO(scalar.text);
    CHECK(TypeOf(scalar.text) == scalar.value);
  }
  CHECK_FALSE(TypeOf("-.Inf"));
}

}  // namespace shm::manifest
