// Pods created through the real API server, and what the webhook answers to what is no pod at all.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json Pod(const std::string& name, json labels, json container = json::object()) {
  container.update({{"name", "engine"}, {"image", "example/engine"}});
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"labels", std::move(labels)}}},
          {"spec", {{"containers", json::array({std::move(container)})}}}};
}

json Create(const std::string& ns, const json& pod) {
  return json::parse(Cluster().Must("-n " + ns + " create -o json -f - 2>/dev/null", pod.dump()));
}

json Selecting(const char* app, int degree) {
  return {{"tensorParallelSize", degree},
          {"gpuCount", degree},
          {"selector", {{"matchLabels", {{"app", app}}}}}};
}

// The sizeLimit of our volume, or "" where there is none.
std::string SizeLimit(const json& pod) {
  for (const json& volume : pod["spec"].value("volumes", json::array())) {
    if (volume["name"] == "shm-operator-dshm") return volume["emptyDir"].value("sizeLimit", "");
  }
  return "";
}

std::string Post(const std::string& path, const std::string& body) {
  return Shell(
             "curl -sk -m 10 -w '\\n%{http_code}' -H 'Content-Type: application/json' "
             "--data-binary @- https://localhost:" +
                 std::to_string(Installation::Get().webhook_port()) + path,
             body)
      .output;
}

}  // namespace

TEST_CASE("a labelled pod gets its volume, its mount, and its GPUs as requests and limits") {
  Installation::Get();
  const std::string ns = NewNamespace("labelled");
  ApplyInferenceService(ns, "two", Selecting("none", 2));
  const json pod = Create(ns, Pod("p", {{"shm-operator.dev/service", "two"}}));
  INFO(pod.dump(2));
  CHECK(SizeLimit(pod) == "2Gi");
  const json& container = pod["spec"]["containers"][0];
  CHECK(container["volumeMounts"][0]["mountPath"] == "/dev/shm");
  CHECK(container["resources"]["requests"]["nvidia.com/gpu"] == "2");
  CHECK(container["resources"]["limits"]["nvidia.com/gpu"] == "2");
  CHECK(pod["metadata"]["labels"]["shm-operator.dev/injected"] == "true");
}

TEST_CASE("a selected pod is sized where its namespace is enabled, and let alone elsewhere") {
  Installation::Get();
  const bool enabled = GENERATE(true, false);
  const std::string ns = NewNamespace("selected", enabled);
  ApplyInferenceService(ns, "four", Selecting("engine", 4));
  REQUIRE(Eventually(seconds(10), [&] {
    return Cluster()
        .Get("-n " + ns + " inferenceservices.shm-operator.dev four")
        .contains("status");
  }));
  const json pod = Create(ns, Pod("p", {{"app", "engine"}}));
  CHECK(SizeLimit(pod) == (enabled ? "4Gi" : ""));
}

TEST_CASE("a pod whose label names no InferenceService is refused with a message") {
  Installation::Get();
  const std::string ns = NewNamespace("unknown");
  const ShellResult result = Cluster().Try(
      "-n " + ns + " create -f -", Pod("p", {{"shm-operator.dev/service", "absent"}}).dump());
  CHECK(result.exit_code != 0);
  CHECK_THAT(result.output, Catch::Contains("absent"));
}

TEST_CASE("inject=false opts out of everything") {
  Installation::Get();
  const std::string ns = NewNamespace("optout");
  const json pod = Create(
      ns, Pod("p", {{"shm-operator.dev/service", "absent"}, {"shm-operator.dev/inject", "false"}}));
  CHECK(SizeLimit(pod).empty());
}

TEST_CASE("A9: a dry run is answered like the real thing and leaves nothing") {
  Installation::Get();
  const std::string ns = NewNamespace("dryrun");
  ApplyInferenceService(ns, "two", Selecting("none", 2));
  const json pod =
      json::parse(Cluster().Must("-n " + ns + " create --dry-run=server -o json -f - 2>/dev/null",
                                 Pod("p", {{"shm-operator.dev/service", "two"}}).dump()));
  CHECK(SizeLimit(pod) == "2Gi");
  CHECK(Cluster().Get("-n " + ns + " pods")["items"].empty());
}

TEST_CASE("the webhook answers what is no review with a clear error and stays up") {
  Installation::Get();
  struct Case {
    const char* name;
    std::string body;
    const char* expected;
  };
  const std::string uid = "7a1b6c1e-0000-4000-8000-000000000001";
  const auto review = [&uid](const std::string& object) {
    return R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":")" +
           uid +
           R"(","operation":"CREATE","namespace":"x","kind":{"group":"","version":"v1","kind":"Pod"},"object":)" +
           object + "}}";
  };
  const std::string big(3 << 20, 'x');
  const std::vector<Case> cases = {
      {"empty body", "", "\n400"},
      {"garbage", "\x01\x02{{{", "\n400"},
      {"another kind", R"({"apiVersion":"v1","kind":"Pod"})", "\n400"},
      {"a pod that is a number", review("7"), uid.c_str()},
      {"a pod of 3 MB",
       review(R"({"metadata":{"annotations":{"a":")" + big +
              R"("}},"spec":{"containers":[{"name":"c"}]}})"),
       uid.c_str()},
      {"deep nesting", std::string(1000000, '['), "\n400"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const std::string answer = Post("/mutate/namespace", c.body);
      CHECK_THAT(answer.substr(0, 2000), Catch::Contains(c.expected));
      CHECK(Shell("curl -sf http://127.0.0.1:" +
                  std::to_string(Installation::Get().webhook_health_port()) + "/healthz")
                .exit_code == 0);
    }
  }
}

}  // namespace shm::test
