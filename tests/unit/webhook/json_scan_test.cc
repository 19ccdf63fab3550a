#include "webhook/json_scan.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace shm::webhook {
namespace {

using nlohmann::json;

// Every event with its value, as text; ends the reading after `limit` of them.
class Events : public SelectiveSax {
 public:
  explicit Events(int limit) : left_(limit) {}
  bool WantsValue() const override { return key_ != unwanted; }
  bool null() override { return Note("null"); }
  bool boolean(bool value) override { return Note(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return Note("int " + std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Note("uint " + std::to_string(value));
  }
  bool number_float(number_float_t value, const string_t& digits) override {
    return Note("float " + json(value).dump() + " " + digits);
  }
  bool string(string_t& value) override { return Note("string " + value); }
  bool binary(binary_t&) override { return Note("binary"); }
  bool start_object(std::size_t size) override { return Note("{" + std::to_string(size)); }
  bool key(string_t& value) override {
    key_ = value;
    return Note("key " + value);
  }
  bool end_object() override { return Note("}"); }
  bool start_array(std::size_t size) override { return Note("[" + std::to_string(size)); }
  bool end_array() override { return Note("]"); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }
  std::string text;
  std::string unwanted = "no key is called so";

 private:
  bool Note(const std::string& event) {
    text += event + "\n";
    return --left_ > 0;
  }
  int left_;
  std::string key_;
};

// The two readers see the same, up to the same end.
void Agree(const std::string& text, int limit = 1 << 30) {
  INFO(text);
  Events theirs(limit);
  const bool accepted = json::sax_parse(text, &theirs);
  Events ours(limit);
  const ScanResult scan = ScanJson(text, ours);
  CHECK(scan.complete == accepted);
  CHECK(ours.text == theirs.text);
  if (scan.bad_at) CHECK(*scan.bad_at <= text.size());
}

const std::vector<std::string> kTexts = {
    "",
    " ",
    "{}",
    "[]",
    " { } ",
    "[ ]",
    "null",
    "true",
    "false",
    "nul",
    "truex",
    "fals",
    "\"a\"",
    "\"\"",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "{]",
    "[}",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{,}",
    "{\"a\"}",
    "{\"a\" 1}",
    "{1:2}",
    "{\"a\":}",
    "[1 2]",
    "1 2",
    "{} {}",
    "{\"a\":1}x",
    "[[[[]]]]",
    "{\"a\":{\"b\":[{}]}}",
    "\t\r\n[\n1\n]\r\n",
    "\v1",
    "//a\n1",
    "0",
    "-0",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1.5",
    "-1.5",
    "1e5",
    "1E+5",
    "1e-5",
    "1e",
    "1e+",
    "0e0",
    "0.0",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e308",
    "1e309",
    "-1e999",
    "1e-400",
    "123456789012345678901234567890",
    "NaN",
    "Infinity",
    "0x10",
    R"("\"\\\/\b\f\n\r\t")",
    R"("\a")",
    R"("\u")",
    R"("\u12")",
    R"("\u12G4")",
    R"("\u-123")",
    R"("\u+123")",
    R"("\u00e9\u20AC\uD83D\ude00")",
    R"("\ud83d")",
    R"("\ud83dx")",
    R"("\ud83d\n")",
    R"("\ud83d\ud83d")",
    R"("\ude00")",
    R"("\u0000")",
    R"("\)",
    R"("a\)",
    "\"a\nb\"",
    "\"\x7f\"",
    "\"\x01\"",
    "\"\xc3\xa9\"",
    "\"\xe2\x82\xac\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xc3\"",
    "\"\xc3x\"",
    "\"\xc0\x80\"",
    "\"\xe0\x9f\xbf\"",
    "\"\xed\xa0\x80\"",
    "\"\xed\x9f\xbf\"",
    "\"\xf0\x8f\xbf\xbf\"",
    "\"\xf4\x8f\xbf\xbf\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\x80\"",
    "\"\xff\"",
    "\"\xe2\x82",
    "\"\xe2\x28\xac\"",
    "\"\xf0\x9f\x98",
    "\xef\xbb\xbf{}",
    "\xef\xbb{}",
    "\xef\xbb\xbf",
};

std::string Pod() {
  std::ifstream file(SHM_SOURCE_DIR "/tests/data/golden/A4-unknown-fields/pod.json");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("the scanner and nlohmann's parser see the same in texts of every kind") {
  for (const std::string& text : kTexts) {
    Agree(text);
    Agree("[" + text + "]");
    Agree("{\"k\": " + text + " , \"l\":" + text + "}");
  }
}

TEST_CASE(
    "the scanner and nlohmann's parser see the same in a damaged pod, wherever the handler ends "
    "it") {
  const std::string pod = Pod();
  REQUIRE(pod.size() > 100);
  std::mt19937 random(1);
  const std::string bytes =
      "{}[]\",:\\u0123456789-+.eEtfnabD8 \n\x80\xbf\xc3\xe2\xed\xf0\xf4\xff\x1f";
  const auto below = [&random](std::size_t end) { return random() % end; };
  for (int turn = 0; turn < 3000; ++turn) {
    std::string text = pod;
    for (std::size_t n = 1 + below(3); n > 0; --n) {
      const std::size_t at = below(text.size());
      if (below(3) == 0) {
        text.erase(at, 1 + below(4));
      } else if (below(2) == 0) {
        text.insert(at, 1, bytes[below(bytes.size())]);
      } else {
        text[at] = bytes[below(bytes.size())];
      }
    }
    Agree(text, below(4) == 0 ? 1 + static_cast<int>(below(60)) : 1 << 30);
  }
}

TEST_CASE("what follows a NUL is not passed over in silence") {
  Events events(1 << 30);
  const ScanResult scan = ScanJson(std::string_view("{}\0{}", 5), events);
  CHECK_FALSE(scan.complete);
  CHECK(scan.bad_at == 2u);
}

}  // namespace
TEST_CASE("a value that is not wanted is no event, and must be JSON all the same") {
  const std::string size = std::to_string(static_cast<std::size_t>(-1)) + "\n";
  const std::string open = "{" + size;
  for (const std::string& value : kTexts) {
    INFO(value);
    const std::string text = R"({"a":1,"x":)" + value + R"(,"b":[{"x":)" + value + "}]}";
    Events ours(1 << 30);
    ours.unwanted = "x";
    const ScanResult scan = ScanJson(text, ours);
    CHECK(scan.complete == json::accept(text));
    if (!scan.complete) continue;
    CHECK(ours.text == open + "key a\nuint 1\nkey x\nkey b\n[" + size + open + "key x\n}\n]\n}\n");
  }
}

TEST_CASE("depth is bounded, in what is wanted and in what is not") {
  for (const char* unwanted : {"a", "other"}) {
    Events events(1 << 30);
    events.unwanted = unwanted;
    CHECK(ScanJson(R"({"a":[[]]})", events, 3).complete);
    const ScanResult scan = ScanJson(R"({"a":[[[]]]})", events, 3);
    CHECK(scan.too_deep);
    CHECK_FALSE(scan.complete);
    CHECK_FALSE(scan.bad_at);
  }
}

}  // namespace shm::webhook
