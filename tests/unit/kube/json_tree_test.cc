#include "kube/json_tree.h"

#include <catch2/catch.hpp>

#include "kube/list_reader.h"
#include "kube/watch_line.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

TEST_CASE("A tree is what nlohmann makes of the text, and discarded where that is") {
  const char* rows[] = {
      "null",
      "true",
      "[]",
      "{}",
      R"("text")",
      R"({"a":[1,-2,3.5,1e300,18446744073709551615,-9223372036854775808],"b":{"c":[[],[{}],{}]}})",
      R"({"a":1,"a":{"b":2},"a":[3]})",
      R"({"":{"":""},"\u00e9\n":"\ud83d\ude00"})",
      R"([[1,[2,[3,{"x":[4]}]]],{"y":[{"z":null}]},false])",
      R"({"metadata":{"managedFields":[{"a":1}]}})",
      "",
      "{",
      "[1,]",
      "{}{}",
      R"({"a":})",
      "[1e999]",
      "\"\xff\"",
  };
  for (const char* text : rows) {
    INFO(text);
    const Json wanted = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const Json built = ParseJson(text);
    CHECK(built.is_discarded() == wanted.is_discarded());
    if (!wanted.is_discarded()) CHECK(built == wanted);
  }
}

TEST_CASE("512 levels are built, one more is no JSON, whatever is left out") {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK(ParseJson(nested(512)).is_array());
  CHECK(ParseJson(nested(513)).is_discarded());
  const auto left_out = [&nested](std::size_t levels) {
    return R"({"metadata":{"managedFields":)" + nested(levels) + "}}";
  };
  CHECK(JsonTree(1).Parse(left_out(510)) == Json::parse(R"({"metadata":{}})"));
  CHECK(JsonTree(1).Parse(left_out(511)).is_discarded());
}

TEST_CASE("managedFields are left out of an object's own metadata and nowhere else") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"metadata":{"managedFields":[{"f":{"g":[]}},{}],"name":"a"},"spec":1})",
       R"({"metadata":{"name":"a"},"spec":1})"},
      {R"({"metadata":{"name":"a","managedFields":{}}})", R"({"metadata":{"name":"a"}})"},
      {R"({"metadata":{"managedFields":null,"name":"a"}})", R"({"metadata":{"name":"a"}})"},
      {R"({"metadata":{"managedFields":"x"},"managedFields":[1]})",
       R"({"metadata":{},"managedFields":[1]})"},
      {R"({"spec":{"managedFields":[1]},"metadata":{"labels":{"managedFields":"x"}}})", nullptr},
      {R"({"spec":{"metadata":{"managedFields":[1]}}})", nullptr},
      {R"({"metadata":[{"managedFields":[1]}]})", nullptr},
      {R"({"metadata":"x","spec":{"managedFields":[1]}})", nullptr},
  };
  for (const auto& [object, rest] : rows) {
    INFO(object);
    const Json wanted = Json::parse(rest == nullptr ? object : rest);
    CHECK(JsonTree(1).Parse(object) == wanted);
    const std::string text = object;
    const std::string line = R"({"type":"ADDED","object":)" + text + "}";
    CHECK(ReadWatchLine(line).object == wanted);
    CHECK(ReadWatchLine(line, /*keep_managed_fields=*/true).object == Json::parse(text));
    std::vector<Json> items;
    const auto meta = ReadListPage(
        R"({"metadata":{"continue":"x"},"items":[)" + text + "," + text + R"(,7],"kind":"List"})",
        [&items](Json&& item) { items.push_back(std::move(item)); });
    REQUIRE(meta);
    CHECK(meta->items == 2);
    CHECK(meta->continue_token == "x");
    CHECK(items == std::vector<Json>{wanted, wanted});
    std::vector<Json> whole;
    CHECK(ReadListPage(R"({"items":[)" + text + "]}",
                       [&whole](Json&& item) { whole.push_back(std::move(item)); },
                       /*keep_managed_fields=*/true));
    CHECK(whole == std::vector<Json>{Json::parse(text)});
  }
}

TEST_CASE("What is no list hands over nothing") {
  const std::pair<const char*, bool> rows[] = {
      {R"({"items":[]})", true},
      {R"({"items":null})", true},
      {R"({"items":{"a":{}}})", true},
      {R"({"items":[[{}],1,"x"]})", true},
      {R"({"other":[{}]})", false},
      {R"([{"items":[{}]}])", false},
      {R"({"spec":{"items":[{}]}})", false},
      {"null", false},
  };
  for (const auto& [text, is_list] : rows) {
    INFO(text);
    int items = 0;
    const auto meta = ReadListPage(text, [&items](Json&&) { ++items; });
    CHECK(meta.has_value() == is_list);
    CHECK(items == 0);
  }
}

}  // namespace
}  // namespace shm::kube
