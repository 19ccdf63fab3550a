// Pods that started without the webhook, and what spec.repair: Restart does to them where a kubelet
// runs them and controllers replace them (docs/repair.md).
#include <catch2/catch.hpp>
#include <utility>

#include "tests/e2e/cluster.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

json Selecting(const std::string& app) {
  return Service(app, {{"tensorParallelSize", 2},
                       {"gpuCount", 2},
                       {"repair", "Restart"},
                       {"selector", {{"matchLabels", {{"app", app}}}}}});
}

json Status(const Namespace& ns, const std::string& name) {
  const json object = Cluster().Get(ns(std::string(kKind) + " " + name));
  return object.is_null() ? json::object() : object;
}

int Counted(const json& object, const std::string& what) {
  return object.value(json::json_pointer("/status/sharedMemory/" + what), -1);
}

bool HasEvent(const Namespace& ns, const std::string& name, const std::string& reason) {
  return !Items(ns("events --field-selector reason=" + reason +
                   ",involvedObject.kind=" + "InferenceService,involvedObject.name=" + name))
              .empty();
}

std::string Uid(const json& pod) { return pod["metadata"].value("uid", ""); }

// Both ready and sized. In the order in which they came.
json Sized(const Namespace& ns, const std::string& app) {
  json pods = ReadyPods(ns, "app=" + app + ",shm-operator.dev/injected=true");
  // Both may have come within the second that timestamps can tell.
  const auto age = [](const json& pod) {
    return std::pair(pod["metadata"].value("creationTimestamp", ""),
                     Condition(pod, "Ready", "lastTransitionTime"));
  };
  if (pods.size() == 2 && age(pods[0]) > age(pods[1])) std::swap(pods[0], pods[1]);
  return pods;
}

}  // namespace

TEST_CASE(
    "repair Restart replaces pods that came before the webhook, one after the other; never a bare "
    "one, nor what a PodDisruptionBudget keeps") {
  Namespace ns("e2e-repair");
  // Nobody has enabled the namespace: these start as they are.
  json bare = {{"apiVersion", "v1"},
               {"kind", "Pod"},
               {"metadata", {{"name", "bare"}, {"labels", {{"app", "free"}}}}},
               {"spec", PodSpec()}};
  for (const json& object : {Deployment("free", 2), Deployment("kept"), bare}) {
    Cluster().Must(ns("apply -f -"), object.dump());
  }
  Cluster().Must(ns("create poddisruptionbudget kept --selector=app=kept --min-available=1"));
  REQUIRE(Eventually(seconds(60), [&] {
    return ReadyPods(ns, "app=free").size() == 3 && ReadyPods(ns, "app=kept").size() == 1 &&
           Cluster().Get(ns("pdb kept")).value("/status/currentHealthy"_json_pointer, 0) == 1;
  }));
  const json kept = ReadyPod(ns, "app=kept");
  REQUIRE(ShmSize(ns, kept) == "64.0M");

  ns.Enable();
  for (const char* app : {"free", "kept"}) {
    Cluster().Must(ns("apply -f -"), Selecting(app).dump());
  }
  REQUIRE(Eventually(seconds(20), [&] {
    const json object = Status(ns, "free");
    return Counted(object, "unsized") == 3 &&
           Condition(object, "SharedMemoryReady", "reason") == "PodsUnsized" &&
           Counted(Status(ns, "kept"), "unsized") == 1;
  }));
  REQUIRE(Eventually(seconds(10), [&] { return HasEvent(ns, "free", "PodsUnsized"); }));

  // The budget allows none: the pod stays, and the status says why.
  REQUIRE(Eventually(seconds(30), [&] {
    return Condition(Status(ns, "kept"), "Repaired", "reason") == "DisruptionBudget";
  }));
  REQUIRE(Eventually(seconds(10), [&] { return HasEvent(ns, "kept", "DisruptionBudget"); }));
  REQUIRE(Uid(ReadyPod(ns, "app=kept")) == Uid(kept));

  json free;
  const bool replaced = Eventually(seconds(60), [&] {
    free = Sized(ns, "free");
    return free.size() == 2 &&
           Condition(Status(ns, "free"), "Repaired", "reason") == "NotReplaceable";
  });
  INFO(Status(ns, "free").dump(2) << Cluster().Try(ns("get pods,events -o wide")).output);
  REQUIRE(replaced);
  for (const json& pod : free) {
    REQUIRE(ShmSize(ns, pod) == "2.0G");
    RequireGpus(pod, "2");
  }
  // The second went no sooner than the first's successor was ready.
  REQUIRE(free[1]["metadata"].value("creationTimestamp", "") >=
          Condition(free[0], "Ready", "lastTransitionTime"));
  REQUIRE(HasEvent(ns, "free", "Evicted"));
  // The bare pod runs on, and is what is left to do by hand.
  REQUIRE(ShmSize(ns, Cluster().Get(ns("pod bare"))) == "64.0M");
  const json object = Status(ns, "free");
  REQUIRE(Counted(object, "unsized") == 1);
  REQUIRE(Counted(object, "injected") == 2);
  REQUIRE(Uid(ReadyPod(ns, "app=kept")) == Uid(kept));

  Cluster().Must(ns("delete poddisruptionbudget kept"));
  json successor;
  const bool freed = Eventually(seconds(60), [&] {
    successor = ReadyPod(ns, "app=kept,shm-operator.dev/injected=true");
    return !successor.is_null() && Condition(Status(ns, "kept"), "Ready", "status") == "True";
  });
  INFO(Status(ns, "kept").dump(2) << Cluster().Try(ns("get pods,events -o wide")).output);
  REQUIRE(freed);
  REQUIRE(ShmSize(ns, successor) == "2.0G");
  REQUIRE(Counted(Status(ns, "kept"), "unsized") == 0);
  REQUIRE(Condition(Status(ns, "kept"), "Repaired", "status") == "True");
  Say("repair: Restart replaced 2 pods in turn, and a third once its budget was gone; a bare one "
      "stays");
}

}  // namespace shm::test
