#include "webhook/review.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base64.h"

namespace shm::webhook {
namespace {

using nlohmann::json;

// The pod as a document, from the events that the reader hands on.
class Recorder : public ObjectSax {
 public:
  bool null() override { return document_.null(); }
  bool boolean(bool value) override { return document_.boolean(value); }
  bool number_integer(number_integer_t value) override { return document_.number_integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    return document_.number_unsigned(value);
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return document_.number_float(value, text);
  }
  bool string(string_t& value) override { return document_.string(value); }
  bool binary(binary_t& value) override { return document_.binary(value); }
  bool start_object(std::size_t size) override { return document_.start_object(size); }
  bool key(string_t& value) override { return document_.key(value); }
  bool end_object() override { return document_.end_object(); }
  bool start_array(std::size_t size) override { return document_.start_array(size); }
  bool end_array() override { return document_.end_array(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }
  json root;

 private:
  nlohmann::detail::json_sax_dom_parser<json> document_{root, false};
};

json Review() {
  return json::parse(R"({
    "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
    "request": {
      "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
      "kind": {"group": "", "version": "v1", "kind": "Pod"},
      "resource": {"group": "", "version": "v1", "resource": "pods"},
      "requestKind": {"group": "x", "version": "v1", "kind": "Other"},
      "namespace": "llm", "operation": "CREATE", "dryRun": true,
      "userInfo": {"username": "admin", "uid": "no", "extra": {"kind": ["no"], "object": [{}]}},
      "object": {"kind": "Pod", "metadata": {"generateName": "a-", "uid": "inner",
                 "labels": {"object": "x", "request": "y"}},
                 "spec": {"containers": [{"name": "c", "n": -1, "f": 1.5, "u": 7, "z": null}]}},
      "oldObject": {"kind": "Old", "uid": "old"},
      "options": {"kind": "CreateOptions", "dryRun": false}
    }})");
}

TEST_CASE("A8: what matters is read from the request, and the pod alone is handed on") {
  const json review = Review();
  Recorder recorder;
  ReviewFacts facts;
  REQUIRE(ReadReview(review.dump(), recorder, facts).ok());
  CHECK(facts.api_version == "admission.k8s.io/v1");
  CHECK(facts.kind == "AdmissionReview");
  CHECK(facts.uid == "705ab4f5-6393-11e8-b7cc-42010a800002");
  CHECK(facts.namespace_name == "llm");
  CHECK(facts.name.empty());
  CHECK(facts.operation == "CREATE");
  CHECK(facts.object_kind == "Pod");
  CHECK(facts.object_group.empty());
  CHECK(facts.subresource.empty());
  CHECK(facts.dry_run);
  CHECK(facts.has_object);
  CHECK(recorder.root == review["request"]["object"]);
  CHECK(CheckReview(facts).ok());
}

TEST_CASE("Any order of the keys is read the same") {
  const json review = Review();
  Recorder recorder;
  ReviewFacts facts;
  const std::string reversed =
      R"({"request":{"oldObject":{"uid":"o"},"object":)" + review["request"]["object"].dump() +
      R"(,"dryRun":true,"kind":{"kind":"Pod","group":""},"uid":"u"},"kind":"AdmissionReview",)"
      R"("apiVersion":"admission.k8s.io/v1"})";
  REQUIRE(ReadReview(reversed, recorder, facts).ok());
  CHECK(facts.uid == "u");
  CHECK(facts.object_kind == "Pod");
  CHECK(recorder.root == review["request"]["object"]);
}

std::string Nested(int depth) {
  return R"({"request":{"uid":"u","object":{"a":)" + std::string(depth, '[') +
         std::string(depth, ']') + "}}}";
}

TEST_CASE("What cannot be read is an error, and the uid is kept where it came first") {
  struct Row {
    const char* what;
    std::string body;
    const char* error;  // empty: readable
    const char* uid;
  };
  const Row rows[] = {
      {"empty", "", "the body is empty", ""},
      {"garbage", "\x01\x02", "not valid JSON", ""},
      {"cut off", R"({"request":{"uid":"u","object":{"a":[1,)", "not valid JSON", "u"},
      {"bytes after the end", "{}}", "not valid JSON", ""},
      {"not UTF-8", "{\"request\":{\"uid\":\"u\",\"object\":{\"a\":\"\xff\"}}}", "not valid JSON",
       "u"},
      {"a number beyond doubles", R"({"request":{"uid":"u","object":{"a":1e999}}})",
       "not valid JSON", "u"},
      {"as deep as allowed", Nested(509), "", "u"},
      {"one deeper", Nested(510), "deeper than 512", "u"},
      {"a million deep", Nested(1'000'000), "deeper than 512", "u"},
      {"two requests", R"({"request":{"uid":"u"},"request":{"uid":"v"}})",
       "body request is there twice", "u"},
      {"two uids", R"({"request":{"uid":"u","uid":7}})", "request.uid is there twice", "u"},
      {"two objects", R"({"request":{"uid":"u","object":{},"object":{}}})", "twice", "u"},
      {"a long uid", R"({"request":{"uid":")" + std::string(1'025, 'u') + R"("}})",
       "uid of more than 1024 bytes", ""},
      {"a long namespace",
       R"({"request":{"uid":"u","namespace":")" + std::string(1'025, 'n') + "\"}}",
       "namespace of more than 1024 bytes", "u"},
      {"an array", "[{}]", "", ""},
      {"a string", "\"x\"", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Recorder recorder;
    ReviewFacts facts;
    const Result<void> read = ReadReview(row.body, recorder, facts);
    CHECK(read.ok() == std::string(row.error).empty());
    if (!read.ok()) CHECK_THAT(read.error().message, Catch::Contains(row.error));
    CHECK(facts.uid == row.uid);
  }
}

TEST_CASE("What is not an AdmissionReview v1 is refused by the field that says so") {
  struct Row {
    std::string api_version, kind, uid, field;
  };
  for (const Row& row : {Row{"admission.k8s.io/v1beta1", "AdmissionReview", "u", "apiVersion"},
                         Row{"admission.k8s.io/v1", "Pod", "u", "kind"},
                         Row{"admission.k8s.io/v1", "AdmissionReview", "", "request.uid"},
                         Row{"", "", "", "kind"}}) {
    ReviewFacts facts;
    facts.api_version = row.api_version;
    facts.kind = row.kind;
    facts.uid = row.uid;
    REQUIRE_FALSE(CheckReview(facts).ok());
    CHECK(CheckReview(facts).error().field == row.field);
  }
}

TEST_CASE("A3: the answer has the exact uid, and patch and patchType together or neither") {
  const std::string uid = "ü\"\\/\u0007";
  struct Row {
    ReviewAnswer answer;
    bool patched;
  };
  const Row rows[] = {
      {{true, "", "", {}}, false},
      {{true, "[]", "", {}}, true},
      {{true, R"([{"op":"add"}])", "", {"careful"}}, true},
      {{false, "", "not \"this\" way", {}}, false},
      {{false, R"([{"op":"add"}])", "no", {}}, false},
  };
  for (const Row& row : rows) {
    const json written = json::parse(WriteReview(uid, row.answer));
    CHECK(written["apiVersion"] == "admission.k8s.io/v1");
    CHECK(written["kind"] == "AdmissionReview");
    const json& response = written["response"];
    CHECK(response["uid"] == uid);
    CHECK(response["allowed"] == row.answer.allowed);
    CHECK(response.contains("patch") == row.patched);
    CHECK(response.contains("patchType") == row.patched);
    if (row.patched) CHECK(response["patchType"] == "JSONPatch");
    CHECK(response.contains("status") == !row.answer.allowed);
    if (!row.answer.allowed) CHECK(response["status"]["message"] == row.answer.message);
    CHECK(response.contains("warnings") == !row.answer.warnings.empty());
  }
}

TEST_CASE("Warnings stay within what an API server passes on, and within UTF-8") {
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  ReviewAnswer answer;
  answer.warnings = {"a" + umlauts, "bad \xff byte"};
  for (int i = 0; i < 50; ++i) answer.warnings.push_back(std::string(300, 'x'));
  const json warnings = json::parse(WriteReview("u", answer))["response"]["warnings"];
  CHECK(warnings[0].get<std::string>().size() == 255);
  CHECK(warnings[1] == "bad \xEF\xBF\xBD byte");
  std::size_t all = 0;
  for (const json& warning : warnings) all += warning.get<std::string>().size();
  CHECK(all <= 4096 + 2);
  CHECK(warnings.size() > 10);
}

TEST_CASE("Base64 is the standard's, with its padding") {
  for (const auto& [plain, encoded] : {std::pair{"", ""},
                                       {"f", "Zg=="},
                                       {"fo", "Zm8="},
                                       {"foo", "Zm9v"},
                                       {"foob", "Zm9vYg=="},
                                       {"fooba", "Zm9vYmE="},
                                       {"foobar", "Zm9vYmFy"},
                                       {"\xff\xfe\xfd", "//79"}}) {
    CHECK(EncodeBase64(plain) == encoded);
  }
}

}  // namespace
}  // namespace shm::webhook
