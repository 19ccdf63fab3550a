#include "manifest/yaml_writer.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <sstream>

#include "manifest/yaml_reader.h"

namespace shm::manifest {
namespace {

std::string Write(const Json& value) {
  std::ostringstream out;
  WriteYaml(value, out);
  return out.str();
}

// Values at random, of the strings that YAML could take for something else.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Json Value(int depth) {
    const int kind = Below(depth > 4 ? 6 : 9);
    if (kind >= 7) return Object(depth);
    if (kind == 6) return List(depth);
    if (kind == 0) return nullptr;
    if (kind == 1) return Below(2) == 0;
    if (kind == 2) return static_cast<std::int64_t>(random_()) - (std::int64_t{1} << 40);
    if (kind == 3) return static_cast<double>(random_()) / 7;
    return Text();
  }

  Json Object(int depth) {
    Json object = Json::object();
    for (int i = Below(5); i > 0; --i) object[Text()] = Value(depth + 1);
    return object;
  }

 private:
  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  Json List(int depth) {
    Json list = Json::array();
    for (int i = Below(4); i > 0; --i) list.push_back(Value(depth + 1));
    return list;
  }

  std::string Text() {
    static const std::vector<std::string> pieces = {"yes",
                                                    "no",
                                                    "on",
                                                    "017",
                                                    "1e3",
                                                    "0x1F",
                                                    "~",
                                                    "null",
                                                    ":",
                                                    ": ",
                                                    " #",
                                                    "#",
                                                    "-",
                                                    "- ",
                                                    "?",
                                                    "\n",
                                                    "\n\n",
                                                    "\t",
                                                    " ",
                                                    "  ",
                                                    "'",
                                                    "\"",
                                                    "\\",
                                                    "a",
                                                    "b",
                                                    "[",
                                                    "{",
                                                    ",",
                                                    "}",
                                                    "]",
                                                    "&a",
                                                    "*a",
                                                    "!x",
                                                    "%",
                                                    "@",
                                                    "`",
                                                    "|",
                                                    ">",
                                                    "=",
                                                    "<<",
                                                    "--",
                                                    "---",
                                                    ".5",
                                                    ".",
                                                    "\xC2\x85",
                                                    "\xE2\x80\xA8",
                                                    "\xEF\xBB\xBF",
                                                    "\xC3\xA9",
                                                    "\xF0\x9F\x98\x80",
                                                    "\r",
                                                    "\x7F",
                                                    "\x01",
                                                    "2001-01-01",
                                                    "1:30",
                                                    "...",
                                                    "key",
                                                    "$(X)"};
    std::string text;
    for (int i = Below(5); i > 0; --i) {
      text += pieces[static_cast<std::size_t>(Below(static_cast<int>(pieces.size())))];
    }
    return text;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("YAML is written in blocks, lists at the indentation of their key") {
  const Json value = Json::parse(R"({"kind":"Pod","spec":{"args":["--model","x","-1"],"empty":{},
      "none":[],"list":[{"name":"a","value":"b"},[1,2],[]],"null":null}})");
  CHECK(Write(value) == R"(kind: Pod
spec:
  args:
  - --model
  - x
  - "-1"
  empty: {}
  none: []
  list:
  - name: a
    value: b
  - - 1
    - 2
  - []
  "null": null
)");
}

TEST_CASE("A string is quoted where a reader of YAML could take it for something else") {
  for (const char* text : {"a", "a b", "--flag=1", "-tp", "a:b", "http://x/y?z#f", "$(TP)", "1Gi",
                           "v1.10", "kubectl.kubernetes.io/x", "a, b", "100m", "x=y"}) {
    INFO(text);
    CHECK(IsPlain(text));
  }
  for (const char* text :
       {"",    "yes", "No",   "on",    "017",      "1e3",  "2001-01-01", "1:30", "~",    "null",
        "- a", "-",   "---",  "a: b",  "a:",       "a #b", "#",          "&a",   "*",    "!x",
        "%",   "@",   "[a",   "{a",    "'a",       "\"a",  " a",         "a ",   "a\nb", "a\tb",
        "=",   "<<",  ".inf", "1_000", "\xC2\x85", "?a",   "|",          ">"}) {
    INFO(text);
    CHECK_FALSE(IsPlain(text));
  }
}

TEST_CASE("A script stays legible") {
  CHECK(Write({{"run", "set -e\n\tif x; then\n  y\nfi\n"}}) ==
        "run: |\n  set -e\n  \tif x; then\n    y\n  fi\n");
}

TEST_CASE("JSON inside of YAML stays legible") {
  CHECK(Write({{"a", R"({"b":1})"}}) == "a: '{\"b\":1}'\n");
}

TEST_CASE("What stands at the borders of YAML is read back as it was") {
  const std::string long_key(1500, 'k');
  const std::vector<Json> values = {
      {{long_key, 1}, {"after", 2}},
      {{long_key, {{"a", {1, 2}}}}},
      {{"x", {{{long_key, {1, 2}}, {"b", 1}}}}},
      {{long_key + "\n", "a\nb\n"}},
      {{"no character", "\xEF\xBF\xBE \xEF\xBF\xBF"}},
      "a\nb\n",
      {"a\nb\n", {"c\nd\n"}},
      -0.0,
      1e300,
      18446744073709551615U,
  };
  for (const Json& value : values) {
    const ReadOutcome outcome = ReadYaml(Write(value));
    INFO(Write(value));
    REQUIRE(std::holds_alternative<Json>(outcome));
    CHECK(std::get<Json>(outcome) == value);
  }
}

TEST_CASE("Whatever is written is read back as it was") {
  const char* given = std::getenv("SHM_TEST_SEED");
  const unsigned seed =
      given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  WARN("seed " << seed);
  Generator generator(seed);
  for (int i = 0; i < 5'000; ++i) {
    const Json value = generator.Object(0);
    const std::string text = Write(value);
    const ReadOutcome outcome = ReadYaml(text);
    if (const auto* failure = std::get_if<ReadFailure>(&outcome)) {
      FAIL("seed " << seed << ": " << failure->line << ": " << failure->error.ToString() << "\n"
                   << value.dump() << "\n"
                   << text);
    }
    if (std::get<Json>(outcome) != value) {
      FAIL("seed " << seed << ": " << value.dump() << "\n"
                   << std::get<Json>(outcome).dump() << "\n"
                   << text);
    }
  }
}

}  // namespace shm::manifest
