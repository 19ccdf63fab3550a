#include "manifest/documents.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <vector>

namespace shm::manifest {
namespace {

std::vector<Document> ReadAll(const std::string& text) {
  std::istringstream in(text);
  DocumentReader reader(in, "x.yaml");
  std::vector<Document> documents;
  for (;;) {
    auto document = reader.Next();
    if (!document.ok()) FAIL(document.error().ToString());
    if (!*document) return documents;
    documents.push_back(std::move(**document));
  }
}

std::string FirstError(const std::string& text) {
  std::istringstream in(text);
  DocumentReader reader(in, "x.yaml");
  for (;;) {
    const auto document = reader.Next();
    if (!document.ok()) return document.error().ToString();
    if (!*document) return "none";
  }
}

}  // namespace

TEST_CASE("The texts of a stream's documents in a row are the stream") {
  struct Case {
    std::string text;
    std::vector<std::string> values;
    std::vector<std::size_t> lines;
  };
  const std::vector<Case> cases = {
      {"", {}, {}},
      {"\n# nothing\n", {"null"}, {1}},
      {"a: 1", {R"({"a":1})"}, {1}},
      {"a: 1\n---\nb: 2\n", {R"({"a":1})", R"({"b":2})"}, {1, 2}},
      {"---\na: 1\n--- # x\n\n# y\nb: 2\n---\n", {R"({"a":1})", R"({"b":2})", "null"}, {1, 3, 7}},
      {"\xEF\xBB\xBF"
       "a: 1\r\n---\r\nb: 2\r\n",
       {R"({"a":1})", R"({"b":2})"},
       {1, 2}},
      {R"({"a":1}{"b":2})", {R"({"a":1})", R"({"b":2})"}, {1, 1}},
      {"{\n\"a\":1}\n{\"b\":2}\n---\nc: 3\n",
       {R"({"a":1})", R"({"b":2})", R"({"c":3})"},
       {1, 3, 4}},
      {"{\"a\":1} # x\n{\"b\":\"}{\\\"\"}  \n\n# y\n",
       {R"({"a":1})", R"({"b":"}{\""})", "null"},
       {1, 2, 3}},
      {"{\"a\":1}b: 2\n", {R"({"a":1})", R"({"b":2})"}, {1, 1}},
      {"{a: '}', b:\n 1}\n---\nc: 3\n", {R"({"a":"}","b":1})", R"({"c":3})"}, {1, 3}},
      {"\xEF\xBB\xBF---\r\n# x\r\n{\"a\":1}", {R"({"a":1})"}, {1}},
      {"{a: 1, b: [x]}\n", {R"({"a":1,"b":["x"]})"}, {1}},
      {"a: |\n  ---\n  x\n", {R"({"a":"---\nx\n"})"}, {1}},
      {"a: \xC3\xA9\n", {"{\"a\":\"\xC3\xA9\"}"}, {1}},
  };
  for (const Case& stream : cases) {
    INFO(stream.text);
    const auto documents = ReadAll(stream.text);
    std::string together;
    std::vector<std::string> values;
    std::vector<std::size_t> lines;
    for (const Document& document : documents) {
      together += document.text;
      values.push_back(document.value.dump());
      lines.push_back(document.line);
    }
    CHECK(together == stream.text);
    CHECK(values == stream.values);
    CHECK(lines == stream.lines);
  }
}

TEST_CASE("The head of a document is its separator and the comments before its content") {
  const auto documents = ReadAll("# a\n\nx: 1\n--- # b\n\n# c\ny: 2 # d\n");
  CHECK(documents[0].text.substr(0, documents[0].head) == "# a\n\n");
  CHECK(documents[1].text.substr(0, documents[1].head) == "--- # b\n\n# c\n");
}

TEST_CASE("An error names the file, the line in it, and the field") {
  struct Case {
    std::string text;
    std::string error;
  };
  const std::vector<Case> cases = {
      {"a: 1\n---\nb: 1\nb: 2\n", "x.yaml:4: b: the key stands twice in one object"},
      {"a: 1\n--- b: 2\n", "x.yaml:2: only a comment may follow --- in its line"},
      {"a: 1\nb: \xFF\n", "x.yaml:2: byte 0xff is no UTF-8"},
      {"{a: b, c: '}\n\xFF'}\n", "x.yaml:2: byte 0xff is no UTF-8"},
      {"a: \xED\xA0\x80\n", "x.yaml:1: byte 0xed is no UTF-8"},
      {"a: \xC0\xAF\n", "x.yaml:1: byte 0xc0 is no UTF-8"},
      {"# \xFF\na: 1\n", "x.yaml:1: byte 0xff is no UTF-8"},
      {"a: 1\nb: x\ry\n", "x.yaml:2: a carriage return without a line feed"},
      {"{a: 1, a: 2}", "x.yaml:1: a: the key stands twice in one object"},
      {"a: 1\n# c\nb: \x01\n", "x.yaml:3: byte 0x01 is a control character"},
      {"{\"a\": 1e999}", "x.yaml:1: a: the number is out of range"},
      {"{\"a\":\n1,\n\"a\":2}", "x.yaml:3: a: the key stands twice in one object"},
      {"{\"a\":1}\n{\"b\":\n1,,}", "x.yaml:3: no JSON at \"1,,\""},
  };
  for (const Case& bad : cases) CHECK(FirstError(bad.text) == bad.error);
}

TEST_CASE("After an error there is nothing more to read") {
  std::istringstream in("a: [\n---\nb: 1\n");
  DocumentReader reader(in, "x");
  CHECK_FALSE(reader.Next().ok());
  const auto after = reader.Next();
  REQUIRE(after.ok());
  CHECK_FALSE(*after);
}

TEST_CASE("The first document of a stream says so") {
  const auto documents = ReadAll("{\"a\":1}{\"b\":2}\n---\nc: 3\n");
  REQUIRE(documents.size() == 3);
  CHECK(documents[0].first);
  CHECK_FALSE(documents[1].first);
  CHECK_FALSE(documents[2].first);
}

TEST_CASE("A long stream of JSON values is read in one go, be it of one line or of many") {
  for (const char* between : {"", "\n"}) {
    std::string text;
    for (int i = 0; i < 50'000; ++i) text += "{\"a\":[{},\"\\\"}\"]}" + std::string(between);
    CHECK(ReadAll(text).size() == 50'000);
  }
}

TEST_CASE("Separators and JSON values are found at the borders of what is read at once") {
  for (std::size_t size = 8180; size < 8200; ++size) {
    const std::string text = "a: " + std::string(size, 'x') + "\n---\nb: 1\n";
    CHECK(ReadAll(text).size() == 2);
    CHECK(ReadAll(text.substr(0, size + 3)).size() == 1);
  }
}

TEST_CASE("A document that never ends is refused before it fills the memory") {
  class Endless : public std::streambuf {
    int_type underflow() override {
      setg(chunk_, chunk_, chunk_ + sizeof chunk_);
      return traits_type::to_int_type(chunk_[0]);
    }
    char chunk_[4096] = {};
  };
  Endless endless;
  std::istream in(&endless);
  DocumentReader reader(in, "x");
  CHECK(reader.Next().error().ToString() == "x:1: the document is longer than 268435456 bytes");
}

TEST_CASE("JSON a million deep is refused") {
  for (const char* opening : {"[", "{\"a\":"}) {
    std::string text = "{\"x\":";
    for (int i = 0; i < 1'000'000; ++i) text += opening;
    CHECK(FirstError(text).find("nests deeper than 512") != std::string::npos);
  }
}

TEST_CASE("A document finds the line of a field in its file") {
  const auto documents = ReadAll("a: 1\n---\n# c\nspec:\n  b:\n  - x\n  - y\n");
  CHECK(documents[1].Locate({"spec.b[1]", "no"}).ToString() == "x.yaml:7: spec.b[1]: no");
  CHECK(documents[1].Locate({"spec.b[2].z", "no"}).ToString() == "x.yaml:6: spec.b[2].z: no");
  CHECK(documents[1].Locate({"other", "no"}).ToString() == "x.yaml:4: other: no");
}

TEST_CASE("What is not wanted is passed over, whatever it is") {
  std::istringstream in("a: [\n---\nfind: me\n---\n\tb\n");
  DocumentReader reader(
      in, "x", [](std::string_view text) { return text.find("find") != std::string_view::npos; });
  const auto found = reader.Next();
  REQUIRE((found.ok() && *found));
  CHECK((*found)->value == Json({{"find", "me"}}));
  CHECK((*found)->line == 2);
  CHECK_FALSE(*reader.Next());
}

}  // namespace shm::manifest
