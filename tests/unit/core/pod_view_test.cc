#include "core/pod_view.h"

#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/pod_view_builder.h"

namespace shm {
namespace {

using nlohmann::json;

// A pod around one container, as text.
std::string Around(const std::string& container) {
  return R"({"metadata":{"name":"p"},"spec":{"containers":[)" + container + "]}}";
}

PodView Read(const std::string& text) {
  const auto pod = ReadPod(text);
  INFO(text);
  INFO((pod.ok() ? "" : pod.error().ToString()));
  REQUIRE(pod.ok());
  return *pod;
}

}  // namespace

TEST_CASE("a pod is read into facts, indices and what is present") {
  const PodView pod = Read(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "p", "generateName": "p-", "namespace": "n", "labels": {"a": "b"},
                 "annotations": {}, "ownerReferences": [{"kind": "ReplicaSet", "name": "r"}]},
    "spec": {
      "hostIPC": true, "os": {"name": "linux"},
      "resourceClaims": [{"name": "g", "resourceClaimTemplateName": "t"},
                         {"name": "h", "resourceClaimName": "own"}],
      "resources": {"limits": {"memory": 8589934592}},
      "volumes": [{"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": " 1Gi "}},
                  {"name": "d", "emptyDir": {}}, {"name": "n"},
                  {"name": "h", "hostPath": {"path": "/x"}},
                  {"name": "c", "persistentVolumeClaim": {"claimName": "c"}},
                  {"name": "o", "configMap": {"name": "c"}},
                  {"name": "huge", "emptyDir": {"medium": "HugePages"}}],
      "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}],
      "containers": [{"name": "x"}, {
        "name": "c", "image": "img", "command": ["a", ""], "args": ["b"], "restartPolicy": "Always",
        "env": [{"name": "E", "value": "1"}, {"name": "F", "valueFrom": {"fieldRef": {}}}],
        "envFrom": [{"secretRef": {"name": "s"}}],
        "volumeMounts": [{"name": "m", "mountPath": "/dev//shm/", "readOnly": true,
                          "recursiveReadOnly": "Enabled", "subPath": "s"}],
        "resources": {"limits": {"nvidia.com/gpu": 2, "memory": "1Gi"}, "requests": {"cpu": 0.5},
                      "claims": [{"name": "g"}, {"name": "h", "request": "r"}]}}]}})");
  CHECK(pod.name == "p");
  CHECK(pod.generate_name == "p-");
  CHECK(pod.namespace_name == "n");
  CHECK(pod.labels == StringMap{{"a", "b"}});
  CHECK(pod.annotations == StringMap{});
  CHECK(pod.owners == std::vector<OwnerView>{{"ReplicaSet", "r"}});
  CHECK(pod.host_ipc);
  CHECK(pod.os == "linux");
  CHECK(pod.resource_claims == std::vector<PodClaimView>{{"g", "", "t"}, {"h", "own", ""}});
  CHECK(pod.resources.limits == ResourceList{{"memory", "8589934592"}});
  CHECK_FALSE(pod.resources.requests);

  using Kind = VolumeView::Kind;
  CHECK(pod.volumes == std::vector<VolumeView>{{"m", Kind::kMemory, "1Gi"},
                                               {"d", Kind::kDisk, std::nullopt},
                                               {"n", Kind::kDisk, std::nullopt},
                                               {"h", Kind::kHostPath, std::nullopt},
                                               {"c", Kind::kClaim, std::nullopt},
                                               {"o", Kind::kOther, std::nullopt},
                                               {"huge", Kind::kOther, std::nullopt}});
  REQUIRE(pod.init_containers.size() == 2);
  CHECK_FALSE(pod.init_containers[0].runs());
  CHECK(pod.init_containers[1].runs());
  CHECK(pod.init_containers[1].index == 1);

  const ContainerView& container = pod.containers.at(1);
  CHECK(container.index == 1);
  CHECK_FALSE(container.sidecar);
  CHECK(container.command == std::vector<std::string>{"a", ""});
  CHECK(container.args == std::vector<std::string>{"b"});
  CHECK(container.env == std::vector<EnvVar>{{"E", "1", false}, {"F", "", true}});
  CHECK(container.has_env_from);
  CHECK(container.mounts == std::vector<MountView>{{"m", "/dev/shm", true, true, true}});
  CHECK(container.MountAt("/dev/shm") == container.mounts->data());
  CHECK(container.resources.limits == ResourceList{{"memory", "1Gi"}, {"nvidia.com/gpu", "2"}});
  CHECK(container.resources.requests == ResourceList{{"cpu", "0.5"}});
  CHECK(container.resources.claims == std::vector<ClaimUseView>{{"g", ""}, {"h", "r"}});
}

TEST_CASE("A2: null counts as absent, and an empty map or list as present") {
  const PodView nothing = Read(
      R"({"metadata":null,"spec":{"volumes":null,"initContainers":null,"resources":null,"hostIPC":null,
          "containers":[{"name":"c","env":null,"envFrom":null,"volumeMounts":null,"command":null,
                         "resources":{"limits":null,"requests":null}}]}})");
  CHECK_FALSE(nothing.has_metadata);
  CHECK_FALSE(nothing.volumes);
  CHECK_FALSE(nothing.containers[0].env);
  CHECK_FALSE(nothing.containers[0].mounts);
  CHECK(nothing.containers[0].resources.present);
  CHECK_FALSE(nothing.containers[0].resources.limits);

  const PodView empty = Read(
      R"({"metadata":{"labels":{},"annotations":null},"spec":{"volumes":[],
          "containers":[{"env":[],"envFrom":[],"volumeMounts":[],"resources":{"limits":{}}}]}})");
  CHECK(empty.has_metadata);
  CHECK(empty.labels);
  CHECK_FALSE(empty.annotations);
  CHECK(empty.volumes);
  CHECK(empty.containers[0].env);
  CHECK_FALSE(empty.containers[0].has_env_from);
  CHECK(empty.containers[0].mounts);
  CHECK(empty.containers[0].resources.limits);
}

TEST_CASE("a value of a wrong type is an error that names where it stands") {
  struct Case {
    std::string text;
    const char* field;
  };
  const std::vector<Case> cases = {
      {R"(7)", ""},
      {R"([])", ""},
      {R"(null)", ""},
      {R"({"metadata":[],"spec":{"containers":[{}]}})", "metadata"},
      {R"({"metadata":{"labels":{"a":1}},"spec":{"containers":[{}]}})", "metadata.labels.a"},
      {R"({"spec":{"containers":{}}})", "spec.containers"},
      {R"({"spec":{"containers":[null]}})", "spec.containers[0]"},
      {R"({"spec":{"containers":[{},"c"]}})", "spec.containers[1]"},
      {R"({"spec":{"hostIPC":"true","containers":[{}]}})", "spec.hostIPC"},
      {R"({"spec":{"volumes":[{"emptyDir":[]}],"containers":[{}]}})", "spec.volumes[0].emptyDir"},
      {R"({"spec":{"volumes":[{"emptyDir":{"sizeLimit":true}}],"containers":[{}]}})",
       "spec.volumes[0].emptyDir.sizeLimit"},
      {Around(R"({"command":"sh"})"), "spec.containers[0].command"},
      {Around(R"({"args":["a",2]})"), "spec.containers[0].args[1]"},
      {Around(R"({"env":[{"name":"a","value":1}]})"), "spec.containers[0].env[0].value"},
      {Around(R"({"resources":{"limits":{"cpu":{}}}})"), "spec.containers[0].resources.limits.cpu"},
      {Around(R"({"volumeMounts":[{"readOnly":1}]})"),
       "spec.containers[0].volumeMounts[0].readOnly"},
      {R"({"metadata":{}})", "spec.containers"},
      {R"({"spec":{"containers":[]}})", "spec.containers"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    for (const auto& pod : {ReadPod(c.text), ReadPodDocument(json::parse(c.text))}) {
      REQUIRE_FALSE(pod.ok());
      CHECK(pod.error().field == c.field);
    }
  }
}

TEST_CASE("what is not read may have any type and depth up to 512") {
  const auto nested = [](int depth) {
    return Around(R"({"name":"c","later":)" + std::string(static_cast<std::size_t>(depth), '[') +
                  std::string(static_cast<std::size_t>(depth), ']') + "}");
  };
  CHECK(ReadPod(nested(500)).ok());
  CHECK(ReadPodDocument(json::parse(nested(500))).ok());
  for (const auto& pod : {ReadPod(nested(600)), ReadPodDocument(json::parse(nested(600)))}) {
    REQUIRE_FALSE(pod.ok());
    CHECK_THAT(pod.error().message, Catch::Contains("512"));
  }
  CHECK_FALSE(ReadPod(std::string(1'000'000, '[')).ok());
  CHECK_FALSE(ReadPod(Around(R"({"x":)" + std::string(1'000'000, '['))).ok());
}

TEST_CASE("how many containers and entries of lists and maps are looked at is bounded") {
  const auto list = [](const std::string& entry, std::size_t count) {
    std::string text = entry;
    while (--count > 0) text += "," + entry;
    return "[" + text + "]";
  };
  const auto labels = [](std::size_t count) {
    json map = json::object();
    while (count > 0) map[std::to_string(count--)] = "";
    return map.dump();
  };
  const auto with = [](const std::string& member, const std::string& text) {
    return Around(R"({"name":"c",")" + member + R"(":)" + text + "}");
  };
  struct Row {
    std::string most;  // beside the one container that is there anyway
    std::string more;
    std::string field;  // of the first that is too many
  };
  constexpr std::size_t kEntries = kMaxPodEntries - 1;
  const auto spec = [](const std::string& text) { return R"({"spec":{)" + text + "}}"; };
  const auto inits = [&](std::size_t count) {
    return spec(R"("containers":[{}],"initContainers":)" + list("{}", count));
  };
  const auto labelled = [&](std::size_t count) {
    return R"({"spec":{"containers":[{}]},"metadata":{"labels":)" + labels(count) + "}}";
  };
  const auto volumes = [&](std::size_t count) {
    return spec(R"("containers":[{}],"volumes":)" + list("{}", count));
  };
  const Row rows[] = {
      {spec(R"("containers":)" + list("{}", kMaxPodContainers)),
       spec(R"("containers":)" + list("{}", kMaxPodContainers + 1)), "spec.containers[1000]"},
      {inits(kMaxPodContainers - 1), inits(kMaxPodContainers), "spec.initContainers[999]"},
      {volumes(kEntries), volumes(kEntries + 1), "spec.volumes[29999]"},
      {with("args", list("\"\"", kEntries)), with("args", list("\"\"", kEntries + 1)),
       "spec.containers[0].args[29999]"},
      {labelled(kEntries), labelled(kEntries + 1), "metadata.labels.9999"},
  };
  for (const Row& row : rows) {
    INFO(row.field);
    CHECK(ReadPod(row.most).ok());
    const auto refused = ReadPod(row.more);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().field == row.field);
    CHECK_THAT(refused.error().message, Catch::Contains("more than"));
  }
  const auto resources = [&](std::size_t count) {
    return with("resources", R"({"limits":)" + labels(count) + "}");
  };
  CHECK(ReadPod(resources(kMaxPodResources)).ok());
  CHECK_THAT(ReadPod(resources(kMaxPodResources + 1)).error().message,
             Catch::Contains("resources"));
  const auto claims = [&](std::size_t count) {
    return with("resources", R"({"claims":)" + list(R"({"name":"a"})", count) + "}");
  };
  CHECK(ReadPod(claims(kMaxPodResources)).ok());
  CHECK_THAT(ReadPod(claims(kMaxPodResources + 1)).error().message, Catch::Contains("claims"));
  const auto pods_claims = [&](std::size_t count) {
    return spec(R"("containers":[{}],"resourceClaims":)" + list(R"({"name":"a"})", count));
  };
  CHECK(ReadPod(pods_claims(kMaxPodResources)).ok());
  CHECK(ReadPod(pods_claims(kMaxPodResources + 1)).error().field == "spec.resourceClaims[1000]");
  // What is not read is not counted.
  CHECK(ReadPod(with("ports", list("{}", kMaxPodEntries + 1))).ok());
}

TEST_CASE("a name that is longer than any is an error, a text of the author's is not") {
  const std::string most(kMaxNameBytes, 'x');
  const auto around = [](const std::string& before, const std::string& after) {
    return [=](const std::string& text) { return ReadPod(before + text + after); };
  };
  const auto container = [&](const std::string& before, const std::string& after) {
    return around(R"({"spec":{"containers":[{)" + before, after + "}]}}");
  };
  const auto metadata = [&](const std::string& before, const std::string& after) {
    return around(R"({"spec":{"containers":[{}]},"metadata":{)" + before, after + "}}");
  };
  struct Row {
    std::function<Result<PodView>(const std::string&)> read;
    bool bounded;
  };
  const Row rows[] = {
      {container(R"("name":")", R"(")"), true},
      {container(R"("volumeMounts":[{"name":")", R"("}])"), true},
      {container(R"("resources":{"limits":{")", R"(":1}})"), true},
      {container(R"("resources":{"limits":{"a":")", R"("}})"), true},
      {metadata(R"("labels":{"a":")", R"("})"), true},
      {metadata(R"("labels":{")", R"(":"a"})"), true},
      {metadata(R"("annotations":{"a":")", R"("})"), false},
      {container(R"("args":[")", R"("])"), false},
      {container(R"("env":[{"name":"a","value":")", R"("}])"), false},
      {container(R"("image":")", R"(")"), false},
  };
  for (const Row& row : rows) {
    CAPTURE(&row - rows);
    CHECK(row.read(most).ok());
    const auto more = row.read(most + "x");
    CHECK(more.ok() != row.bounded);
    if (row.bounded) {
      CHECK_THAT(more.error().message, Catch::Contains("longer than 1024 bytes"));
      CHECK(more.error().field.size() < 2 * kMaxNameBytes);
    }
  }
}

TEST_CASE("a text that is no JSON is an error") {
  for (const char* text : {"", "{", "{]", "\xff", R"({"a":"\ud800"})", "{} {}"}) {
    INFO(text);
    CHECK_FALSE(ReadPod(text).ok());
  }
}

TEST_CASE("of duplicate keys the last wins, in text as in a document") {
  const std::vector<std::string> texts = {
      R"({"metadata":{"labels":{"a":"1"}},"metadata":{"name":"q"},"spec":{"containers":[{}]}})",
      R"({"spec":{"containers":[{"name":"a"},{"name":"b"}],"containers":[{"name":"c"}]}})",
      R"({"spec":{"hostIPC":true,"volumes":[{"name":"v"}]},"spec":{"containers":[{}]}})",
      Around(R"({"env":[{"name":"A"}],"env":null,"command":["a"],"command":["b"]})"),
      Around(R"({"resources":{"limits":{"a":1}},"resources":{"requests":{"b":1,"b":2}}})"),
      R"({"spec":{"volumes":[{"emptyDir":{"medium":"Memory","sizeLimit":1},"emptyDir":{}}],
          "containers":[{}]}})",
  };
  for (const std::string& text : texts) {
    INFO(text);
    CHECK(Read(text) == *ReadPodDocument(json::parse(text)));
  }
}

TEST_CASE("the reader goes on behind a wrong value, so that what follows the pod is seen") {
  PodViewBuilder builder;
  std::string key = "metadata";
  REQUIRE(builder.start_object(1));
  REQUIRE(builder.key(key));
  REQUIRE(builder.number_integer(-1));
  REQUIRE(builder.end_object());
  CHECK_FALSE(builder.Take().ok());
}

TEST_CASE("A6: mount paths are compared as the kubelet cleans them") {
  struct Case {
    const char* path;
    const char* cleaned;
  };
  const Case cases[] = {{"/dev/shm", "/dev/shm"},
                        {"/dev/shm/", "/dev/shm"},
                        {"/dev//shm", "/dev/shm"},
                        {"//dev/shm//", "/dev/shm"},
                        {"/dev/./shm", "/dev/shm"},
                        {"/dev/x/../shm", "/dev/shm"},
                        {"dev/shm", "/dev/shm"},
                        {"/../dev/shm", "/dev/shm"},
                        {"/dev/shm/x", "/dev/shm/x"},
                        {"/", "/"},
                        {"/..", "/"},
                        {"", ""},
                        {"/dev/shm2", "/dev/shm2"},
                        {"/dev/...", "/dev/..."}};
  for (const Case& c : cases) {
    INFO(c.path);
    CHECK(CleanPath(c.path) == c.cleaned);
  }
}

}  // namespace shm
