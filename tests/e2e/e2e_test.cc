// From `kubectl apply` to `df -h /dev/shm`, on a real kubelet. scripts/test.sh brings up the node,
// the image and the chart, and sets KUBECONFIG.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/e2e/cluster.h"

namespace shm::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

}  // namespace

TEST_CASE("a plain pod has 64.0M of shared memory") {
  Namespace ns("e2e-plain");
  Cluster().Must(ns("apply -f -"),
                 json({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", {{"name", "plain"}, {"labels", {{"app", "plain"}}}}},
                       {"spec", PodSpec()}})
                     .dump());
  const std::string size = ShmSize(ns, WaitForPod(ns, "app=plain"));
  Say("plain pod: df -h /dev/shm says " + size);
  REQUIRE(size == "64.0M");
}

TEST_CASE("an InferenceService yields a pod with a GiB a GPU, and its GPUs") {
  Namespace ns("e2e-template");
  for (const auto& [degree, expected] : {std::pair{2, "2.0G"}, std::pair{4, "4.0G"}}) {
    const std::string name = "tp" + std::to_string(degree);
    Cluster().Must(ns("apply -f -"), Service(name, {{"tensorParallelSize", degree}}).dump());
    const json pod = WaitForPod(ns, Of(name));
    const std::string size = ShmSize(ns, pod);
    Say("TP=" + std::to_string(degree) + ": df -h /dev/shm says " + size);
    REQUIRE(size == expected);
    RequireGpus(pod, std::to_string(degree));
  }
}

TEST_CASE("a Deployment that an InferenceService selects is sized, and gets its GPUs") {
  Namespace ns("e2e-selector", /*enabled=*/true);
  Cluster().Must(ns("apply -f -"),
                 Service("selected", {{"tensorParallelSize", 2},
                                      {"gpuCount", 2},
                                      {"selector", {{"matchLabels", {{"app", "engine"}}}}}})
                     .dump());
  REQUIRE(Eventually(seconds(30), [&] {
    return Condition(Cluster().Get(ns(std::string(kKind) + " selected")), "Ready", "reason") ==
           "NoPods";
  }));
  Cluster().Must(ns("apply -f -"), Deployment("engine").dump());
  const json pod = WaitForPod(ns, "app=engine");
  const std::string size = ShmSize(ns, pod);
  Say("selected Deployment: df -h /dev/shm says " + size);
  REQUIRE(size == "2.0G");
  RequireGpus(pod, "2");
}

TEST_CASE("a changed TP rolls the pods, and deleting takes the children along") {
  Namespace ns("e2e-change");
  Cluster().Must(ns("apply -f -"), Service("live", {{"tensorParallelSize", 2}}).dump());
  REQUIRE(ShmSize(ns, WaitForPod(ns, Of("live"))) == "2.0G");

  Cluster().Must(ns("patch " + std::string(kKind) +
                    " live --type=merge -p '{\"spec\":{\"tensorParallelSize\":4}}'"));
  json object;
  const bool followed = Eventually(seconds(120), [&] {
    object = Cluster().Get(ns(std::string(kKind) + " live"));
    const json pod = ReadyPod(ns, Of("live"));
    return object["status"].value("observedGeneration", 0) == object["metadata"]["generation"] &&
           Condition(object, "Ready", "status") == "True" && !pod.is_null() &&
           ShmSize(ns, pod) == "4.0G";
  });
  INFO(object.dump(2) << Cluster().Try(ns("get pods,events -o wide")).output);
  REQUIRE(followed);
  RequireGpus(ReadyPod(ns, Of("live")), "4");
  REQUIRE(object["status"].value("gpusPerPod", 0) == 4);
  Say("TP 2 -> 4 on the live object: df -h /dev/shm says 4.0G");

  Cluster().Must(ns("delete " + std::string(kKind) + " live"));
  REQUIRE(Eventually(seconds(60), [&] { return Items(ns("deployments,services,pods")).empty(); }));
}

TEST_CASE("a typo inside template.spec shows as TemplateInvalid with the API server's words") {
  Namespace ns("e2e-typo");
  json service = Service("typo", {{"tensorParallelSize", 2}});
  service["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Never";
  Cluster().Must(ns("apply -f -"), service.dump());
  json object;
  REQUIRE(Eventually(seconds(30), [&] {
    object = Cluster().Get(ns(std::string(kKind) + " typo"));
    return Condition(object, "Ready", "reason") == "TemplateInvalid";
  }));
  REQUIRE(Condition(object, "Ready", "status") == "False");
  REQUIRE_THAT(Condition(object, "Ready", "message"), Catch::Contains("imagePullPolice"));
}

TEST_CASE("both programs killed with -9: within 30 s a new pod is sized, and none starts unsized") {
  Namespace ns("e2e-kill");
  const std::string programs = MustShell(
      "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $f 2>/dev/null | grep -qE "
      "'^shm-(operator|webhook) --config' && basename $(dirname $f); done; true");
  REQUIRE_FALSE(programs.empty());
  const auto start = std::chrono::steady_clock::now();
  MustShell("kill -9 " + [&] {
    std::string pids = programs;
    for (char& c : pids) c = c == '\n' ? ' ' : c;
    return pids;
  }());

  // The kubelet starts them anew; until then a labelled pod is refused, never let through unsized.
  Cluster().Must(ns("apply -f -"), Service("again", {{"tensorParallelSize", 2}}).dump());
  json pod;
  REQUIRE(Eventually(seconds(30), [&] {
    for (const json& found : Items(ns("pods -l " + Of("again")))) {
      CHECK(found["metadata"]["labels"].value("shm-operator.dev/injected", "") == "true");
    }
    return !(pod = ReadyPod(ns, Of("again"))).is_null();
  }));
  const auto took = std::chrono::duration_cast<seconds>(std::chrono::steady_clock::now() - start);
  Say("killed with -9; a sized pod was ready after " + std::to_string(took.count()) + " s");
  REQUIRE(ShmSize(ns, pod) == "2.0G");
  RequireGpus(pod, "2");
}

TEST_CASE("kubectl scale and a HorizontalPodAutoscaler set an InferenceService's replicas") {
  Namespace ns("e2e-scale");
  Cluster().Must(ns("apply -f -"), Service("wide", {{"tensorParallelSize", 2}}).dump());
  WaitForPod(ns, Of("wide"));
  const auto has_ready = [&ns](int replicas) {
    return Eventually(seconds(90), [&] {
      const json object = Cluster().Get(ns(std::string(kKind) + " wide"));
      return object["status"].value("replicas", 0) == replicas &&
             object["status"].value("readyReplicas", 0) == replicas &&
             Condition(object, "Ready", "status") == "True";
    });
  };
  Cluster().Must(ns("scale " + std::string(kKind) + " wide --replicas=2"));
  REQUIRE(has_ready(2));
  for (const json& pod : Items(ns("pods -l " + Of("wide")))) REQUIRE(ShmSize(ns, pod) == "2.0G");
  Cluster().Must(ns("scale " + std::string(kKind) + " wide --replicas=1"));
  REQUIRE(has_ready(1));

  // Below minReplicas an autoscaler needs no metric, and there is none here.
  const json cpu = {
      {"type", "Resource"},
      {"resource",
       {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 50}}}}}};
  Cluster().Must(ns("apply -f -"), json({{"apiVersion", "autoscaling/v2"},
                                         {"kind", "HorizontalPodAutoscaler"},
                                         {"metadata", {{"name", "wide"}}},
                                         {"spec",
                                          {{"scaleTargetRef",
                                            {{"apiVersion", "shm-operator.dev/v1alpha1"},
                                             {"kind", "InferenceService"},
                                             {"name", "wide"}}},
                                           {"minReplicas", 2},
                                           {"maxReplicas", 3},
                                           {"metrics", json::array({cpu})}}}})
                                       .dump());
  REQUIRE(has_ready(2));
  Say("kubectl scale 1 -> 2 -> 1, and an autoscaler 1 -> 2");
}

TEST_CASE(
    "foreground deletion takes the children first; orphaned ones run on and are not adopted") {
  Namespace ns("e2e-cascade");
  Cluster().Must(ns("apply -f -"), Service("first", {{"tensorParallelSize", 2}}).dump());
  WaitForPod(ns, Of("first"));
  Cluster().Must(
      ns("delete " + std::string(kKind) + " first --cascade=foreground --wait --timeout=60s"));
  REQUIRE(Items(ns("deployments,replicasets,services,pods")).empty());

  Cluster().Must(ns("apply -f -"), Service("left", {{"tensorParallelSize", 2}}).dump());
  const json pod = WaitForPod(ns, Of("left"));
  Cluster().Must(
      ns("delete " + std::string(kKind) + " left --cascade=orphan --wait --timeout=60s"));
  const json orphan = Cluster().Get(ns("deployment left"));
  REQUIRE_FALSE(orphan.is_null());
  REQUIRE(orphan["metadata"].value("ownerReferences", json::array()).empty());
  Cluster().Must(ns("apply -f -"), Service("left", {{"tensorParallelSize", 4}}).dump());
  REQUIRE(Eventually(seconds(30), [&] {
    return Condition(Cluster().Get(ns(std::string(kKind) + " left")), "Ready", "reason") ==
           "NameTaken";
  }));
  REQUIRE(Cluster().Get(ns("deployment left"))["spec"] == orphan["spec"]);
  REQUIRE(ReadyPod(ns, Of("left"))["metadata"]["uid"] == pod["metadata"]["uid"]);
  Say("--cascade=foreground left nothing, --cascade=orphan a Deployment that stays as it is");
}

// Last: it takes the operator away. Catch runs the cases in the order that they are linked, which
// is that of the files' names, and of a file's own.
TEST_CASE(
    "helm uninstall leaves CRDs and InferenceServices alone, and pods can be created all the "
    "while") {
  Namespace ns("e2e-uninstall", /*enabled=*/true);
  Cluster().Must(ns("apply -f -"), Service("stays", {{"tensorParallelSize", 2}}).dump());
  WaitForPod(ns, Of("stays"));

  TempDir dir;
  Process uninstall({"helm", "uninstall", "shm-operator", "-n", kOperatorNamespace, "--wait"},
                    dir.path() + "/log");
  int created = 0;
  for (; created < 20; ++created) {
    json pod = {{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata",
                 {{"name", "during-" + std::to_string(created)},
                  {"labels", {{"shm-operator.dev/service", "stays"}}}}},
                {"spec", PodSpec()}};
    const ShellResult result = Cluster().Try(ns("create -f -"), pod.dump());
    INFO("pod " << created << ": " << result.output);
    REQUIRE(result.exit_code == 0);
  }
  REQUIRE(uninstall.Wait() == 0);
  Say("helm uninstall: " + std::to_string(created) + " pods created while it ran");

  json left;
  const bool clean = Eventually(seconds(60), [&] {
    json items = json::array();
    for (const json& item : Items("-n " + std::string(kOperatorNamespace) +
                                  " deployments,services,secrets,leases,pods")) {
      items.push_back(item["kind"].get<std::string>() + "/" +
                      item["metadata"]["name"].get<std::string>());
    }
    left = items;
    return items.empty() && Items("mutatingwebhookconfigurations").empty();
  });
  INFO(left.dump());
  REQUIRE(clean);
  REQUIRE_FALSE(Cluster().Get("crd " + std::string(kKind)).is_null());
  REQUIRE_FALSE(Cluster().Get(ns(std::string(kKind) + " stays")).is_null());
}

}  // namespace shm::test
