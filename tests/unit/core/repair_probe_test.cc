#include "core/repair_probe.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm {
namespace {

using nlohmann::json;

constexpr std::int64_t kGi = std::int64_t{1} << 30;

// As a kubelet's cluster shows it: defaulted, scheduled, running.
const json& LivePod() {
  static const json kPod = json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
      "name": "engine-7d4b9-x2x4k", "generateName": "engine-7d4b9-", "namespace": "llm",
      "uid": "u", "resourceVersion": "17", "creationTimestamp": "2026-01-01T00:00:00Z",
      "generation": 1, "managedFields": [{}], "finalizers": ["example.com/hold"],
      "deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30,
      "labels": {"app": "engine", "shm-operator.dev/injected": "true"},
      "annotations": {"shm-operator.dev/injection": "{}"},
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "engine-7d4b9",
                           "uid": "r", "controller": true, "blockOwnerDeletion": true}]},
    "spec": {
      "nodeName": "node-1", "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
      "overhead": {"memory": "1Mi"}, "ephemeralContainers": [{"name": "debug"}],
      "serviceAccountName": "default", "schedulerName": "default-scheduler",
      "volumes": [{"name": "shm-operator-dshm", "emptyDir": {"medium": "Memory"}},
                  {"name": "kube-api-access-8hj2k", "projected": {"sources": []}}],
      "initContainers": [{"name": "i", "volumeMounts": [{"name": "kube-api-access-8hj2k", "mountPath": "/t"}]}],
      "containers": [{"name": "c", "image": "i", "volumeMounts": [
        {"name": "shm-operator-dshm", "mountPath": "/dev/shm"},
        {"name": "kube-api-access-8hj2k", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}]},
    "status": {"phase": "Running"}})");
  return kPod;
}

json Created(const char* injected, const char* record) {
  json pod = {{"metadata", {{"labels", json::object()}, {"annotations", json::object()}}}};
  if (*injected) pod["metadata"]["labels"]["shm-operator.dev/injected"] = injected;
  if (*record) pod["metadata"]["annotations"]["shm-operator.dev/injection"] = record;
  return pod;
}

}  // namespace

TEST_CASE("the copy that is created in a dry run has nothing of the server's, the rest as it is") {
  CHECK(BuildRepairProbe(LivePod()) == json::parse(R"({
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
      "generateName": "engine-7d4b9-", "namespace": "llm",
      "labels": {"app": "engine"},
      "annotations": {"shm-operator.dev/injection": "{}"},
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "engine-7d4b9",
                           "uid": "r", "controller": true}]},
    "spec": {
      "serviceAccountName": "default", "schedulerName": "default-scheduler",
      "volumes": [{"name": "shm-operator-dshm", "emptyDir": {"medium": "Memory"}}],
      "initContainers": [{"name": "i", "volumeMounts": []}],
      "containers": [{"name": "c", "image": "i", "volumeMounts": [
        {"name": "shm-operator-dshm", "mountPath": "/dev/shm"}]}]}})"));
}

TEST_CASE("a pod that was named by its author gets a name that is not taken") {
  const json copy = BuildRepairProbe(
      json::parse(R"({"metadata": {"name": "web-0"}, "spec": {"containers": []}})"));
  CHECK(copy["metadata"]["generateName"] == "web-0-");
  CHECK_FALSE(copy["metadata"].contains("name"));
}

TEST_CASE("only a copy that came back injected, with the size, is a reason to evict") {
  struct Case {
    const char* name;
    const char* injected;
    const char* record;
    std::optional<std::int64_t> size;
    const char* reason;  // empty: evict
  };
  const Case cases[] = {
      {"injected, with the size", "true", R"({"version":1,"size":"2Gi","gpus":2})", 2 * kGi, ""},
      {"injected, larger", "true", R"({"version":1,"size":"3Gi","gpus":2})", 2 * kGi, ""},
      {"injected, mode Disabled", "true", R"({"version":1,"gpus":2})", std::nullopt, ""},
      {"injected, too small", "true", R"({"version":1,"size":"1Gi","gpus":1})", 2 * kGi,
       "DryRunTooSmall"},
      {"injected, without a volume", "true", R"({"version":1,"gpus":2})", 2 * kGi,
       "DryRunTooSmall"},
      {"injected, annotation lost", "true", "", 2 * kGi, "DryRunTooSmall"},
      {"no webhook", "", "", 2 * kGi, "DryRunNotInjected"},
      {"no webhook, a record copied from elsewhere", "", R"({"version":1,"size":"2Gi","gpus":2})",
       2 * kGi, "DryRunNotInjected"},
      {"no webhook, mode Disabled", "false", "", std::nullopt, "DryRunNotInjected"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      const auto refusal = JudgeRepairProbe(Created(c.injected, c.record), c.size);
      CHECK((refusal ? refusal->reason : "") == c.reason);
    }
  }
  CHECK(JudgeRepairProbe(json::object(), std::nullopt)->reason == "DryRunNotInjected");
}

}  // namespace shm
