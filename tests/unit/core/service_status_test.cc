#include "core/service_status.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm {
namespace {

using nlohmann::json;
using State = ChildrenOutcome::State;

constexpr std::int64_t kGi = std::int64_t{1} << 30;
constexpr const char* kNow = "2026-01-02T03:04:05Z";

InferenceService Service(bool selector = false) {
  InferenceService service;
  service.name = "qwen";
  service.namespace_name = "llm";
  service.generation = 3;
  if (selector) service.selector = LabelSelector{{{"app", "engine"}}, {}};
  return service;
}

PodFacts Sized(const std::string& name, std::int64_t size = 2 * kGi) {
  return {name, true, true, size, {}};
}

StatusFacts Running() {
  StatusFacts facts;
  facts.size = 2 * kGi;
  facts.arithmetic = "1Gi × 2 GPUs";
  facts.gpus_per_pod = 2;
  facts.children = {State::kApplied, "", 1, 1};
  facts.pods = {Sized("a")};
  return facts;
}

json Condition(const json& status, const std::string& type) {
  for (const json& condition : status["conditions"]) {
    if (condition["type"] == type) return condition;
  }
  return json();
}

}  // namespace

TEST_CASE("Ready says why it is not") {
  struct Case {
    const char* name;
    bool selector;
    void (*change)(StatusFacts&);
    const char* status;
    const char* reason;
  };
  const Case cases[] = {
      {"all replicas ready", false, [](StatusFacts&) {}, "True", "Available"},
      {"none ready yet", false, [](StatusFacts& f) { f.children.ready_replicas = 0; }, "False",
       "Progressing"},
      {"scaled to 0", false,
       [](StatusFacts& f) {
         f.children.replicas = f.children.ready_replicas = 0;
         f.pods.clear();
       },
       "True", "ScaledToZero"},
      {"scaled to 0, and pods are still there", false,
       [](StatusFacts& f) { f.children.replicas = f.children.ready_replicas = 0; }, "False",
       "Progressing"},
      {"refused template", false,
       [](StatusFacts& f) {
         f.children = {State::kTemplateInvalid, "words", 0, 0};
       },
       "False", "TemplateInvalid"},
      {"a name in the way", false,
       [](StatusFacts& f) {
         f.children = {State::kNameTaken, "in the way", 0, 0};
       },
       "False", "NameTaken"},
      {"a spec that does not add up", false,
       [](StatusFacts& f) {
         f.invalid = Error{"spec", "3 GPUs"};
       },
       "False", "Invalid"},
      {"an unsized pod", false, [](StatusFacts& f) { f.pods[0].injected = false; }, "False",
       "PodsUnsized"},
      {"pods that cannot be created", false,
       [](StatusFacts& f) {
         f.children.ready_replicas = 0;
         f.pods.clear();
         f.pod_creation_failure = "quota";
       },
       "False", "PodCreationFailed"},
      {"pods that could not be created at first, and are starting now", false,
       [](StatusFacts& f) {
         f.children.ready_replicas = 0;
         f.pod_creation_failure = "quota";
       },
       "False", "Progressing"},
      {"selected pods, sized", true, [](StatusFacts& f) { f.children.state = State::kNotWanted; },
       "True", "Sized"},
      {"no pod selected yet", true,
       [](StatusFacts& f) {
         f.children.state = State::kNotWanted;
         f.pods.clear();
       },
       "True", "NoPods"},
      {"a namespace that is not enabled", true, [](StatusFacts& f) { f.namespace_enabled = false; },
       "False", "NamespaceNotEnabled"},
      {"an older InferenceService with the same pods", true,
       [](StatusFacts& f) { f.older_overlap = "first"; }, "False", "Conflict"},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      StatusFacts facts = Running();
      c.change(facts);
      const json ready = Condition(BuildStatus(Service(c.selector), facts, json(), kNow), "Ready");
      CHECK(ready["status"] == c.status);
      CHECK(ready["reason"] == c.reason);
      CHECK(ready["observedGeneration"] == 3);
      CHECK_FALSE(ready["message"].get<std::string>().empty());
    }
  }
}

TEST_CASE("a condition keeps its transition time until its status changes") {
  const json first = BuildStatus(Service(), Running(), json(), kNow);
  const json again = BuildStatus(Service(), Running(), first, "2026-01-02T09:00:00Z");
  CHECK(again == first);
  StatusFacts waiting = Running();
  waiting.children.ready_replicas = 0;
  const json changed = BuildStatus(Service(), waiting, first, "2026-01-02T09:00:00Z");
  CHECK(Condition(changed, "Ready")["lastTransitionTime"] == "2026-01-02T09:00:00Z");
  CHECK(Condition(changed, "MemoryBudget")["lastTransitionTime"] == kNow);
}

TEST_CASE("the status counts pods, injected pods, and pods of another size") {
  StatusFacts facts = Running();
  facts.pods = {Sized("a"), Sized("b", kGi), PodFacts{"c", false, false, std::nullopt, {}}};
  const json status = BuildStatus(Service(), facts, json(), kNow);
  CHECK(status["sharedMemory"]["pods"] == 3);
  CHECK(status["sharedMemory"]["injected"] == 2);
  CHECK(status["sharedMemory"]["unsized"] == 1);
  CHECK(status["sharedMemory"]["outdated"] == 1);
  CHECK(status["sharedMemory"]["size"] == "2Gi");
  CHECK(status["gpusPerPod"] == 2);
  CHECK(status["observedGeneration"] == 3);
}

TEST_CASE("where engines are not known, a larger pod is not outdated") {
  StatusFacts facts = Running();
  facts.size_is_least = true;
  CHECK_FALSE(IsOutdated(Sized("a", 3 * kGi), facts));
  CHECK(IsOutdated(Sized("a", kGi), facts));
  facts.size_is_least = false;
  CHECK(IsOutdated(Sized("a", 3 * kGi), facts));
}

TEST_CASE("the webhook's reasons on a pod become conditions") {
  StatusFacts facts = Running();
  facts.pods[0].reasons = {"MemoryLimitTooSmall", "ParallelismMismatch"};
  const json status = BuildStatus(Service(), facts, json(), kNow);
  CHECK(Condition(status, "MemoryBudget")["status"] == "False");
  CHECK(Condition(status, "ParallelismValid")["status"] == "False");
  CHECK(Condition(status, "Ready")["status"] == "True");
}

TEST_CASE("a pod that opted out is not unsized") {
  StatusFacts facts = Running();
  facts.pods.push_back(PodFacts{"b", true, false, std::nullopt, {}});
  facts.pods.back().opted_out = true;
  const json status = BuildStatus(Service(), facts, json(), kNow);
  CHECK(status["sharedMemory"]["unsized"] == 0);
  CHECK(Condition(status, "SharedMemoryReady")["status"] == "True");
}

TEST_CASE("how a repair fares is a condition where it is asked for, and none where it is not") {
  StatusFacts facts = Running();
  CHECK(Condition(BuildStatus(Service(), facts, json(), kNow), "Repaired").is_null());
  facts.repair = RepairOutcome{false, "DisruptionBudget", "words"};
  const json repaired = Condition(BuildStatus(Service(), facts, json(), kNow), "Repaired");
  CHECK(repaired["status"] == "False");
  CHECK(repaired["reason"] == "DisruptionBudget");
  CHECK(repaired["message"] == "words");
}

}  // namespace shm
