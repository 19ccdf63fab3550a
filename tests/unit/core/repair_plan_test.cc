#include "core/repair_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace shm {
namespace {

using State = RepairState;

constexpr std::int64_t kGi = std::int64_t{1} << 30;
constexpr std::int64_t kNow = 100'000'000;
constexpr const char* kOld = "2026-01-01T00:00:00Z";
constexpr const char* kLine = "2026-01-02T00:00:00Z";  // pods made later are young
constexpr const char* kYoung = "2026-01-02T01:00:00Z";

PodFacts Pod(const std::string& name, bool injected, bool ready = true) {
  PodFacts pod;
  pod.name = name;
  pod.uid = "uid-" + name;
  pod.created = kOld;
  pod.injected = injected;
  pod.ready = ready;
  pod.replaceable = true;
  if (injected) pod.shm_size = 2 * kGi;
  return pod;
}

PodFacts Small(const std::string& name) {
  PodFacts pod = Pod(name, true);
  pod.shm_size = kGi;
  return pod;
}

// A selected set of pods of which one never saw the webhook, for long enough.
struct Scene {
  InferenceService service;
  StatusFacts status;
  RepairFacts facts;
  RepairHistory history;
  RepairRules rules;

  Scene() {
    service.name = "qwen";
    service.namespace_name = "llm";
    service.repair = RepairPolicy::kRestart;
    service.selector = LabelSelector{{{"app", "engine"}}, {}};
    status.size = 2 * kGi;
    status.size_is_least = true;
    status.pods = {Pod("sized", true), Pod("bare", false)};
    facts.now_ms = kNow;
    facts.young_since = kLine;
    history.drift_since_ms = kNow - rules.settle;
  }

  PodFacts& bare() { return status.pods[1]; }
  void Evicted(std::int64_t ago, std::set<std::string> known) {
    history.evicted_ms = kNow - ago;
    history.evicted = "before";
    history.known = std::move(known);
  }
  RepairPlan Plan() const { return PlanRepair(service, status, facts, history, rules); }
};

struct Case {
  const char* name;
  void (*change)(Scene&);
  State state;
  std::int64_t again = -1;  // -1: when something changes
};

void CheckCases(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Scene scene;
      c.change(scene);
      const RepairPlan plan = scene.Plan();
      CHECK(RepairStateName(plan.state) == std::string(RepairStateName(c.state)));
      CHECK(plan.again_ms.value_or(-1) == c.again);
      CHECK(plan.pod.has_value() == (c.state == State::kEvict));
      CHECK_FALSE(plan.reason.empty());
      CHECK_FALSE(plan.message.empty());
    }
  }
}

}  // namespace

TEST_CASE("a pod that nothing would replace, or that is not to be sized, is never evicted") {
  CheckCases({
      {"an unsized pod of a controller", [](Scene&) {}, State::kEvict},
      {"without a controller", [](Scene& s) { s.bare().replaceable = false; },
       State::kNotReplaceable},
      {"opted out, or a mirror pod", [](Scene& s) { s.bare().opted_out = true; }, State::kNoDrift},
      {"all are sized", [](Scene& s) { s.bare() = Pod("b", true); }, State::kNoDrift},
      {"no pod", [](Scene& s) { s.status.pods.clear(); }, State::kNoDrift},
      {"selected, too small by what holds now: an upgrade of ours must not restart a model",
       [](Scene& s) { s.bare() = Small("b"); }, State::kNoDrift},
      {"selected, larger",
       [](Scene& s) {
         s.bare() = Small("b");
         s.bare().shm_size = 3 * kGi;
       },
       State::kNoDrift},
      {"of our Deployment, too small: its stamp would give the same again",
       [](Scene& s) {
         s.service.selector.reset();
         s.service.has_template = true;
         s.status.size_is_least = false;
         s.status.children = {ChildrenOutcome::State::kApplied, "", 2, 2};
         s.bare() = Small("b");
       },
       State::kNoDrift},
  });
}

TEST_CASE("no pod is evicted while the InferenceService has an error") {
  CheckCases({
      {"its spec does not add up",
       [](Scene& s) {
         s.status.invalid = Error{"spec", "3 GPUs"};
       },
       State::kHeld},
      {"the webhook does not see the namespace",
       [](Scene& s) { s.status.namespace_enabled = false; }, State::kHeld},
      {"an older one selects the same pods", [](Scene& s) { s.status.older_overlap = "first"; },
       State::kHeld},
      {"a pod disagrees about the GPUs",
       [](Scene& s) { s.status.pods[0].reasons = {"ParallelismMismatch"}; }, State::kHeld},
      {"a memory limit is too small",
       [](Scene& s) { s.status.pods[0].reasons = {"MemoryLimitTooSmall"}; }, State::kHeld},
      {"its Deployment was refused",
       [](Scene& s) {
         s.status.children = {ChildrenOutcome::State::kTemplateInvalid, "words", 0, 0};
       },
       State::kHeld},
      {"its pods cannot be created, which unsized ones hide",
       [](Scene& s) {
         s.service.selector.reset();
         s.status.children = {ChildrenOutcome::State::kApplied, "", 2, 1};
         s.status.pod_creation_failure = "exceeded quota";
       },
       State::kHeld},
      {"replicas that are not ready yet are no error",
       [](Scene& s) {
         s.service.selector.reset();
         s.status.children = {ChildrenOutcome::State::kApplied, "", 2, 1};
       },
       State::kEvict},
  });
}

TEST_CASE("one pod goes at a time") {
  const RepairRules rules;
  CheckCases({
      {"the successor is not there",
       [](Scene& s) {
         s.Evicted(1000, {"uid-sized", "uid-bare", "uid-before"});
       },
       State::kReplacing, rules.look},
      {"the successor is not ready",
       [](Scene& s) {
         s.Evicted(1000, {"uid-bare", "uid-before"});
         s.status.pods[0].ready = false;
       },
       State::kReplacing, rules.look},
      {"the successor is ready",
       [](Scene& s) {
         s.Evicted(1000, {"uid-bare", "uid-before"});
       },
       State::kEvict},
      {"the successor has little time left",
       [](Scene& s) {
         s.Evicted(s.rules.replacement - 7, {"uid-sized", "uid-bare", "uid-before"});
       },
       State::kReplacing, 7},
      {"the successor had its time",
       [](Scene& s) {
         s.Evicted(s.rules.replacement, {"uid-sized", "uid-bare", "uid-before"});
       },
       State::kEvict},
      {"the successor is unsized: evicting did not help, however long ago it was",
       [](Scene& s) {
         s.Evicted(10 * s.rules.replacement, {"uid-sized", "uid-before"});
       },
       State::kSuccessorUnsized},
      {"an unsized pod that was not known, but was there before",
       [](Scene& s) {
         s.Evicted(s.rules.replacement, {"uid-before"});
         s.history.evicted_at = kLine;
       },
       State::kEvict},
      {"a pod is being deleted, as after a restart of the operator",
       [](Scene& s) { s.facts.going = 1; }, State::kReplacing, rules.look},
      {"a sized pod starts",
       [](Scene& s) {
         s.status.pods[0].ready = false;
         s.status.pods[0].created = kYoung;
       },
       State::kReplacing, rules.look},
      {"a sized pod has not become ready for long",
       [](Scene& s) { s.status.pods[0].ready = false; }, State::kEvict},
      {"an unsized pod that is not ready is what is to be mended",
       [](Scene& s) {
         s.bare().ready = false;
         s.bare().created = kYoung;
       },
       State::kEvict},
  });
}

TEST_CASE("the rate of evictions is bounded") {
  const RepairRules rules;
  CheckCases({
      {"drift was seen just now", [](Scene& s) { s.history.drift_since_ms = kNow; },
       State::kSettling, rules.settle},
      {"too many went in the window",
       [](Scene& s) {
         s.facts.evictions_ms.assign(static_cast<std::size_t>(s.rules.evictions), kNow - 1000);
       },
       State::kRateLimited, rules.window - 1000},
      {"as many, but one of them long ago",
       [](Scene& s) {
         s.facts.evictions_ms.assign(static_cast<std::size_t>(s.rules.evictions), kNow - 1000);
         s.facts.evictions_ms.front() = kNow - s.rules.window;
       },
       State::kEvict},
      {"the only pod was refused",
       [](Scene& s) { RecordRefusal(s.bare(), "Why", "words", kNow, s.rules, s.history); },
       State::kRefused, rules.refused.base_ms},
      {"its refusal is over",
       [](Scene& s) {
         RecordRefusal(s.bare(), "Why", "words", kNow - s.rules.refused.base_ms, s.rules,
                       s.history);
       },
       State::kEvict},
  });
}

TEST_CASE("broken pods go before those that serve, old before new, small ones not at all") {
  Scene scene;
  scene.status.pods = {Small("small"), Pod("b", false), Pod("a", false), Pod("young", false, false),
                       Pod("broken", false, false)};
  scene.status.pods[3].created = kYoung;
  for (const char* name : {"broken", "young", "a", "b"}) {
    const RepairPlan plan = scene.Plan();
    REQUIRE(plan.pod.has_value());
    CHECK(plan.pod->name == name);
    RecordRefusal(*plan.pod, "Why", "no to " + plan.pod->name, kNow, scene.rules, scene.history);
    CHECK(scene.Plan().state == State::kRefused);
    CHECK(scene.Plan().reason == "Why");
    CHECK(scene.Plan().message == "no to " + plan.pod->name);
    scene.facts.now_ms = scene.history.retry_ms;
  }
  // All were refused once: it begins anew.
  CHECK(scene.Plan().pod->name == "broken");
}

TEST_CASE("where pods are refused again and again they are tried ever more seldom") {
  Scene scene;
  for (const std::int64_t wait : {30'000, 60'000, 120'000, 240'000, 480'000, 600'000, 600'000}) {
    RecordRefusal(scene.bare(), "Why", "words", kNow, scene.rules, scene.history);
    CHECK(scene.Plan().again_ms == wait);
  }
  RecordEviction(scene.bare(), scene.status, kNow, kOld, scene.history);
  CHECK(scene.history.refused == 0);
}

TEST_CASE("the history is of one generation, and ends an eviction by its success alone") {
  Scene scene;
  scene.Evicted(1000, {"uid-bare", "uid-before", "uid-sized"});
  RecordRefusal(scene.bare(), "Why", "words", kNow, scene.rules, scene.history);
  const auto update = [&scene] { UpdateHistory(scene.service, scene.status, kNow, scene.history); };
  update();
  CHECK(scene.history.evicted_ms.has_value());
  CHECK(scene.history.refusals.size() == 1);
  CHECK(scene.history.drift_since_ms == kNow - scene.rules.settle);

  scene.status.pods = {Pod("next", true, false)};
  update();
  CHECK(scene.history.evicted_ms.has_value());
  CHECK(scene.history.refusals.empty());
  CHECK_FALSE(scene.history.drift_since_ms.has_value());

  scene.status.pods[0].ready = true;
  update();
  CHECK_FALSE(scene.history.evicted_ms.has_value());

  scene.Evicted(1000, {});
  scene.service.generation = 2;
  scene.status.pods = {Pod("bare", false)};
  update();
  CHECK_FALSE(scene.history.evicted_ms.has_value());
  CHECK(scene.history.drift_since_ms == kNow);
  CHECK(scene.history.generation == 2);
}

TEST_CASE("evicting whatever is planned, every pod is replaced once, and none twice") {
  Scene scene;
  scene.status.pods = {Pod("a", false), Pod("b", false), Pod("c", false)};
  int evictions = 0;
  for (int step = 0; step < 20; ++step) {
    UpdateHistory(scene.service, scene.status, scene.facts.now_ms, scene.history);
    const RepairPlan plan = scene.Plan();
    if (plan.state == State::kNoDrift) break;
    scene.facts.now_ms += plan.again_ms.value_or(1000);
    if (plan.state == State::kReplacing) scene.status.pods.back().ready = true;
    if (plan.state != State::kEvict) continue;
    RecordEviction(*plan.pod, scene.status, scene.facts.now_ms, kOld, scene.history);
    auto& pods = scene.status.pods;
    pods.erase(std::find(pods.begin(), pods.end(), *plan.pod));
    pods.push_back(Pod("new-" + std::to_string(++evictions), true, false));
  }
  CHECK(evictions == 3);
  CHECK(scene.Plan().state == State::kNoDrift);
}

TEST_CASE("where successors come unsized, one eviction is all") {
  Scene scene;
  scene.status.pods = {Pod("a", false), Pod("b", false)};
  int evictions = 0;
  for (int step = 0; step < 50; ++step) {
    UpdateHistory(scene.service, scene.status, scene.facts.now_ms, scene.history);
    const RepairPlan plan = scene.Plan();
    scene.facts.now_ms += plan.again_ms.value_or(10'000'000);
    if (plan.state != State::kEvict) continue;
    RecordEviction(*plan.pod, scene.status, scene.facts.now_ms, kOld, scene.history);
    auto& pods = scene.status.pods;
    pods.erase(std::find(pods.begin(), pods.end(), *plan.pod));
    // The successor takes a step to appear: until then there may be no drift at all.
    UpdateHistory(scene.service, scene.status, scene.facts.now_ms, scene.history);
    pods.push_back(Pod("new-" + std::to_string(++evictions), false));
  }
  CHECK(evictions == 1);
  CHECK(scene.Plan().state == State::kSuccessorUnsized);
}

}  // namespace shm
