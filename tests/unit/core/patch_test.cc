#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/injection_record.h"
#include "core/json_patch.h"
#include "core/pod_patch.h"

namespace shm {
namespace {

using nlohmann::json;
using Kind = PatchOperation::Kind;

constexpr const char* kPod = R"({
  "metadata": {"labels": {}},
  "spec": {"containers": [{"name": "c", "env": [{"name": "A"}],
                           "volumeMounts": [{"name": "m", "mountPath": "/dev/shm",
                                             "readOnly": true}]}],
           "volumes": [{"name": "m", "emptyDir": {"medium": "Memory"}}, {"name": "d"}]}})";

}  // namespace

TEST_CASE("a patch is written as JSON Patch, pointers and strings escaped") {
  const Patch patch = {{Kind::kAdd, {"metadata", "labels", "a/b~c"}, JsonString("x\"\\\n\x01é")},
                       {Kind::kRemove, {"spec", "volumes", "0"}, ""}};
  CHECK(RenderJsonPatch(patch) ==
        R"([{"op":"add","path":"/metadata/labels/a~1b~0c","value":"x\"\\\n\u0001é"},)"
        R"({"op":"remove","path":"/spec/volumes/0"}])");
  CHECK(RenderJsonPatch({}) == "[]");
  CHECK(json::parse(JsonString("\t\r\x1f/")) == "\t\r\x1f/");
}

TEST_CASE("A1, A2: a patch that would not apply is found before it is sent") {
  struct Case {
    const char* name;
    Patch patch;
    bool applies;
  };
  const auto add = [](std::vector<std::string> path, std::string value = "\"x\"") {
    return PatchOperation{Kind::kAdd, std::move(path), std::move(value)};
  };
  const auto remove = [](std::vector<std::string> path) {
    return PatchOperation{Kind::kRemove, std::move(path), ""};
  };
  const Case cases[] = {
      {"a label", {add({"metadata", "labels", "a"})}, true},
      {"an annotation without its map", {add({"metadata", "annotations", "a"})}, false},
      {"with its map",
       {add({"metadata", "annotations"}, "{}"), add({"metadata", "annotations", "a"})},
       true},
      {"the map too late",
       {add({"metadata", "annotations", "a"}), add({"metadata", "annotations"}, "{}")},
       false},
      {"below what is missing", {add({"spec", "resources", "limits"}, "{}")}, false},
      {"in a list's place", {add({"spec", "containers", "0", "env", "0"}, "{}")}, true},
      {"at a list's end", {add({"spec", "containers", "0", "env", "1"}, "{}")}, true},
      {"behind a list's end", {add({"spec", "containers", "0", "env", "2"}, "{}")}, false},
      {"with a leading zero", {add({"spec", "containers", "0", "env", "00"}, "{}")}, false},
      {"a list's name", {add({"spec", "containers", "0", "env", "x"}, "{}")}, false},
      {"another container", {add({"spec", "containers", "1", "env"}, "[]")}, false},
      {"end of no list", {add({"metadata", "labels", "a", "-"})}, false},
      {"volume's end", {add({"spec", "volumes", "-"})}, true},
      {"a sizeLimit", {add({"spec", "volumes", "0", "emptyDir", "sizeLimit"})}, true},
      {"a sizeLimit of no emptyDir",
       {add({"spec", "volumes", "1", "emptyDir", "sizeLimit"})},
       false},
      {"a readOnly", {remove({"spec", "containers", "0", "volumeMounts", "0", "readOnly"})}, true},
      {"a readOnly twice",
       {remove({"spec", "containers", "0", "volumeMounts", "0", "readOnly"}),
        remove({"spec", "containers", "0", "volumeMounts", "0", "readOnly"})},
       false},
      {"what is not there", {remove({"metadata", "labels", "a"})}, false},
      {"an element", {remove({"spec", "volumes", "1"}), add({"spec", "volumes", "1"})}, true},
      {"an init container where there is none",
       {add({"spec", "initContainers", "0", "env"}, "[]")},
       false},
      {"the whole pod", {add({})}, false},
  };
  const auto pod = ReadPod(std::string_view(kPod));
  REQUIRE(pod.ok());
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(CheckPatch(*pod, c.patch).ok() == c.applies);
    // The library agrees, where it has an opinion: it takes "add" with an empty path.
    if (c.patch[0].path.empty()) continue;
    bool applies = true;
    try {
      (void)json::parse(kPod).patch(json::parse(RenderJsonPatch(c.patch)));
    } catch (const json::exception&) {
      applies = false;
    }
    CHECK(applies == c.applies);
  }
}

TEST_CASE("A2: parents that are missing are made once") {
  const auto pod = ReadPod(std::string_view(R"({"spec":{"containers":[{"name":"c"}]}})"));
  PodPatch patch(*pod);
  patch.SetResource(pod->containers[0], "limits", "nvidia.com/gpu", "2");
  patch.SetResource(pod->containers[0], "limits", "memory", "1Gi");
  patch.SetLabel("a", "b");
  patch.SetAnnotation("c", "d");
  CHECK(CheckPatch(*pod, patch.operations()).ok());
  const json document = json::parse(R"({"spec":{"containers":[{"name":"c"}]}})");
  CHECK(document.patch(json::parse(RenderJsonPatch(patch.operations()))) ==
        json::parse(R"({"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
            "spec": {"containers": [{"name": "c",
              "resources": {"limits": {"nvidia.com/gpu": "2", "memory": "1Gi"}}}]}})"));
}

TEST_CASE("the annotation reads back as it was written, byte for byte") {
  const InjectionRecord records[] = {
      {},
      {std::int64_t{2} << 30, 2, "1Gi × 2 GPUs = 2Gi", {"Sized", "EnvFrom"}, std::nullopt},
      {1000, 1, "", {}, RaisedMemory{"c", 5, "1Gi", std::nullopt, "2Gi", "1"}},
  };
  for (const InjectionRecord& record : records) {
    const std::string text = WriteInjection(record);
    INFO(text);
    const auto read = ReadInjection(text);
    REQUIRE(read);
    CHECK(*read == record);
    CHECK(WriteInjection(*read) == text);
    CHECK(json::accept(text));
  }
  CHECK(WriteInjection(records[2]) ==
        R"({"version":1,"size":"1000","gpus":1,"raised":{"bytes":5,"container":"c","limit":"1Gi",)"
        R"("podLimit":"2Gi","podRequest":"1"}})");
}

TEST_CASE("an annotation that nobody of ours wrote is read as none, a newer one as far as known") {
  for (const char* text : {"", "x", "[]", "{}", "7", R"({"version":0})", R"({"version":"1"})",
                           R"({"version":1,"size":"much"})"}) {
    INFO(text);
    CHECK_FALSE(ReadInjection(text));
  }
  CHECK_FALSE(ReadInjection(std::string(1'000'000, '[')));
  const auto padded = [](std::size_t bytes) {
    return R"({"version":1,"pad":")" + std::string(bytes, 'x') + R"("})";
  };
  CHECK(ReadInjection(padded(255 * 1024)));
  CHECK_FALSE(ReadInjection(padded(256 * 1024)));  // no pod keeps as much
  const auto newer = ReadInjection(R"({"version":2,"size":"1Gi","gpus":2,"more":{"a":[1]}})");
  REQUIRE(newer);
  CHECK(newer->gpus == 2);
}

}  // namespace shm
