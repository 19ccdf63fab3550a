#include "tests/e2e/cluster.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

namespace shm::test {

using nlohmann::json;
using std::chrono::seconds;

const Kubectl& Cluster() {
  static const Kubectl kubectl(std::getenv("KUBECONFIG") ? std::getenv("KUBECONFIG") : "");
  return kubectl;
}

void Say(const std::string& line) { std::cerr << "   " << line << "\n"; }

Namespace::Namespace(std::string name, bool enabled) : name_(std::move(name)) {
  Cluster().Must("create namespace " + name_);
  if (enabled) Enable();
  // A pod needs its namespace's service account, which a controller makes.
  REQUIRE(Eventually(seconds(30), [this] {
    return !Cluster().Get("-n " + name_ + " serviceaccount default").is_null();
  }));
}

Namespace::~Namespace() {
  Cluster().Try("delete namespace " + name_ + " --wait=true --timeout=90s");
}

void Namespace::Enable() const {
  Cluster().Must("label namespace " + name_ + " shm-operator.dev/injection=enabled");
}

namespace {

json Engine() {
  return {
      {"name", "engine"},
      {"image", "local/busybox:1"},
      {"imagePullPolicy", "Never"},
      {"command", {"sleep", "1000000"}},
      {"securityContext",
       {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", json::array({"ALL"})}}}}}};
}

}  // namespace

// As Pod Security `restricted` wants it, which every namespace of the test cluster enforces.
json PodSpec() {
  return {{"terminationGracePeriodSeconds", 0},
          {"securityContext",
           {{"runAsNonRoot", true},
            {"runAsUser", 65532},
            {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
          {"containers", json::array({Engine()})}};
}

json Service(const std::string& name, json spec) {
  if (!spec.contains("selector")) spec["template"]["spec"] = PodSpec();
  return {{"apiVersion", "shm-operator.dev/v1alpha1"},
          {"kind", "InferenceService"},
          {"metadata", {{"name", name}}},
          {"spec", std::move(spec)}};
}

json Deployment(const std::string& name, int replicas) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"replicas", replicas},
            {"selector", {{"matchLabels", {{"app", name}}}}},
            {"template", {{"metadata", {{"labels", {{"app", name}}}}}, {"spec", PodSpec()}}}}}};
}

std::string Condition(const json& object, const std::string& type, const std::string& field) {
  for (const json& condition : object.value("/status/conditions"_json_pointer, json::array())) {
    if (condition.value("type", "") == type) return condition.value(field, "");
  }
  return "";
}

json Items(const std::string& arguments) {
  const json list = Cluster().Get(arguments);
  return list.is_null() ? json::array() : list.at("items");
}

json ReadyPods(const Namespace& ns, const std::string& selector) {
  json ready = json::array();
  for (const json& pod : Items(ns("pods -l " + selector))) {
    if (pod["metadata"].contains("deletionTimestamp")) continue;
    if (Condition(pod, "Ready", "status") == "True") ready.push_back(pod);
  }
  return ready;
}

json ReadyPod(const Namespace& ns, const std::string& selector) {
  const json ready = ReadyPods(ns, selector);
  return ready.empty() ? json() : ready.back();
}

json WaitForPod(const Namespace& ns, const std::string& selector) {
  json pod;
  const bool ready =
      Eventually(seconds(120), [&] { return !(pod = ReadyPod(ns, selector)).is_null(); });
  INFO(Cluster().Try(ns("get pods,events,shmisvc -o wide")).output);
  REQUIRE(ready);
  return pod;
}

std::string ShmSize(const Namespace& ns, const json& pod) {
  const std::string output =
      Cluster().Must(ns("exec " + pod["metadata"]["name"].get<std::string>() +
                        " -- df -h /dev/shm | awk 'NR==2{print $2}'"));
  return output.substr(0, output.find('\n'));
}

void RequireGpus(const json& pod, const std::string& count) {
  const json& resources = pod["spec"]["containers"][0]["resources"];
  REQUIRE(resources["requests"].value("nvidia.com/gpu", "") == count);
  REQUIRE(resources["limits"].value("nvidia.com/gpu", "") == count);
}

std::string Of(const std::string& name) { return "shm-operator.dev/service=" + name; }

}  // namespace shm::test
