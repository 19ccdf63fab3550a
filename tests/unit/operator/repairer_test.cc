#include "operator/repairer.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/kube/fake_api.h"
#include "tests/unit/kube/fakes.h"

namespace shm::controller {
namespace {

using kube::ErrorReason;
using nlohmann::json;

constexpr std::int64_t kGi = std::int64_t{1} << 30;
const kube::ObjectKey kPod{"llm", "engine-x"};

// An API server with a webhook that answers as the test says, and a budget likewise.
class Cluster : public kube::testing::FakeApi {
 public:
  std::optional<ErrorReason> dry_run_fails;
  bool injects = true;
  const char* size = "2Gi";
  std::optional<ErrorReason> evict_fails;
  bool evicts_all_the_same = false;
  std::vector<std::string> evicted;
  int dry_runs = 0;

  void AddPod() {
    FakeApi::Create(kube::Pods(), kPod.namespace_name,
                    json::parse(R"({"metadata": {"name": "engine-x", "namespace": "llm",
                                    "uid": "u-x"}, "spec": {"containers": []}})"),
                    {})
        .value();
  }

  kube::ApiResult<json> Create(const kube::ResourceType& type, const std::string& name_space,
                               const json& object, const kube::WriteOptions& options) override {
    if (type == kube::Events()) return FakeApi::Create(type, name_space, object, options);
    REQUIRE(options.dry_run);
    REQUIRE(type == kube::Pods());
    REQUIRE(name_space == "llm");
    ++dry_runs;
    if (dry_run_fails) return kube::testing::Fault(*dry_run_fails);
    json created = object;
    if (injects) {
      created["metadata"]["labels"]["shm-operator.dev/injected"] = "true";
      created["metadata"]["annotations"]["shm-operator.dev/injection"] =
          json{{"version", 1}, {"size", size}, {"gpus", 2}}.dump();
    }
    return created;
  }

  kube::ApiResult<void> Evict(const kube::ObjectKey& pod, const std::string& uid,
                              bool dry_run) override {
    REQUIRE_FALSE(dry_run);
    REQUIRE(uid == "u-x");
    if (!evict_fails || evicts_all_the_same) {
      evicted.push_back(pod.name);
      REQUIRE(Delete(kube::Pods(), pod, {}).ok());
    }
    if (evict_fails) return kube::testing::Fault(*evict_fails);
    return {};
  }
};

struct Bench {
  Cluster api;
  kube::testing::FakeClock clock;
  kube::EventRecorder events{api, {}, clock};
  std::vector<std::string> outcomes;
  RepairRules rules;
  Repairer repairer;
  ServiceRecord record;
  StatusFacts status;

  explicit Bench(RepairRules its_rules = {})
      : rules(its_rules),
        repairer(
            api, events, clock, [this](const std::string& outcome) { outcomes.push_back(outcome); },
            its_rules) {
    api.AddPod();
    record.status = "null";
    record.service.name = "qwen";
    record.service.namespace_name = "llm";
    record.service.repair = RepairPolicy::kRestart;
    record.service.selector = LabelSelector{{{"app", "engine"}}, {}};
    status.size = 2 * kGi;
    status.size_is_least = true;
    PodFacts pod;
    pod.name = "engine-x";
    pod.uid = "u-x";
    pod.replaceable = true;
    status.pods = {pod};
  }

  Repairer::Step Advance(const std::string& name = "qwen") {
    record.service.name = name;
    return repairer.Advance(record, status, 0);
  }
  // How often something was told as an Event.
  std::int64_t Told() {
    while (events.WriteOne()) {
    }
    std::int64_t count = 0;
    const auto listed = api.List(kube::Events(), "llm", {}, [&count](json&& event) {
      count += event.value("count", std::int64_t{0});
    });
    CHECK(listed.ok());
    return count;
  }
  // The first look only begins to wait.
  Repairer::Step AdvanceSettled(const std::string& name = "qwen") {
    CHECK(Advance(name).outcome.reason == "Settling");
    clock.Advance(std::chrono::milliseconds(rules.settle));
    return Advance(name);
  }
};

}  // namespace

TEST_CASE("a pod is evicted once the dry run of its copy came back with the size, and only then") {
  struct Case {
    const char* name;
    void (*change)(Cluster&);
    const char* reason;
    const char* outcome;
    bool evicted;
  };
  const Case cases[] = {
      {"injected, with the size", [](Cluster&) {}, "Evicted", "evicted", true},
      {"no webhook", [](Cluster& c) { c.injects = false; }, "DryRunNotInjected",
       "dry_run_not_injected", false},
      {"injected, too small", [](Cluster& c) { c.size = "1Gi"; }, "DryRunTooSmall",
       "dry_run_too_small", false},
      {"the webhook is down, and its policy Fail",
       [](Cluster& c) { c.dry_run_fails = ErrorReason::kInternalError; }, "DryRunFailed",
       "dry_run_failed", false},
      {"no right to dry runs", [](Cluster& c) { c.dry_run_fails = ErrorReason::kForbidden; },
       "DryRunFailed", "dry_run_failed", false},
      {"a budget forbids it", [](Cluster& c) { c.evict_fails = ErrorReason::kTooManyRequests; },
       "DisruptionBudget", "disruption_budget", false},
      {"no right to evictions", [](Cluster& c) { c.evict_fails = ErrorReason::kForbidden; },
       "EvictionFailed", "eviction_failed", false},
      {"two budgets: the API server's fault, and the pod is still there",
       [](Cluster& c) { c.evict_fails = ErrorReason::kInternalError; }, "EvictionFailed",
       "eviction_failed", false},
      {"the answer got lost, and the pod is gone",
       [](Cluster& c) {
         c.evict_fails = ErrorReason::kTimeout;
         c.evicts_all_the_same = true;
       },
       "Evicted", "evicted", true},
      {"another of its name by now", [](Cluster& c) { c.evict_fails = ErrorReason::kConflict; },
       "Replacing", "gone", false},
  };
  for (const Case& c : cases) {
    DYNAMIC_SECTION(c.name) {
      Bench bench;
      c.change(bench.api);
      const Repairer::Step step = bench.AdvanceSettled();
      CHECK(step.outcome.reason == c.reason);
      CHECK_FALSE(step.outcome.done);
      CHECK_FALSE(step.outcome.message.empty());
      CHECK(step.again_ms.has_value());
      CHECK(bench.outcomes == std::vector<std::string>{c.outcome});
      CHECK(bench.api.evicted.size() == (c.evicted ? 1u : 0u));
      CHECK(bench.api.dry_runs == 1);
    }
  }
}

TEST_CASE("a pod that is gone, or has a successor of its name, is not evicted") {
  Bench bench;
  REQUIRE(bench.api.Delete(kube::Pods(), kPod, {}).ok());
  CHECK(bench.AdvanceSettled().outcome.reason == "Replacing");
  CHECK(bench.api.dry_runs == 0);

  Bench renamed;
  renamed.status.pods[0].uid = "u-before";
  CHECK(renamed.AdvanceSettled().outcome.reason == "Replacing");
  CHECK(renamed.api.dry_runs == 0);
  CHECK(renamed.api.evicted.empty());
}

TEST_CASE("a refusal is tried again when it is over, and not before") {
  Bench bench;
  bench.api.evict_fails = ErrorReason::kTooManyRequests;
  const Repairer::Step refused = bench.AdvanceSettled();
  CHECK(bench.Advance().outcome == refused.outcome);
  CHECK(bench.api.dry_runs == 1);
  bench.clock.Advance(std::chrono::milliseconds(*refused.again_ms));
  bench.api.evict_fails.reset();
  CHECK(bench.Advance().outcome.reason == "Evicted");
}

TEST_CASE("after an eviction the next waits for its successor") {
  Bench bench;
  PodFacts other = bench.status.pods[0];
  other.name = "engine-y";
  other.uid = "u-y";
  bench.status.pods.push_back(other);
  REQUIRE(bench.AdvanceSettled().evicted);
  bench.status.pods.erase(bench.status.pods.begin());
  CHECK(bench.Advance().outcome.reason == "Replacing");
  CHECK(bench.api.evicted.size() == 1);
}

TEST_CASE("the bound is of all InferenceServices, and refusals do not use it up") {
  RepairRules rules;
  rules.evictions = 1;
  Bench bench(rules);
  bench.api.evict_fails = ErrorReason::kTooManyRequests;
  CHECK(bench.AdvanceSettled("first").outcome.reason == "DisruptionBudget");
  bench.api.evict_fails.reset();
  CHECK(bench.AdvanceSettled("second").outcome.reason == "Evicted");
  bench.api.AddPod();
  CHECK(bench.AdvanceSettled("third").outcome.reason == "RateLimited");
  bench.clock.Advance(std::chrono::milliseconds(rules.window));
  CHECK(bench.Advance("third").outcome.reason == "Evicted");
}

TEST_CASE("what was said already is no new Event, whatever status the watch shows") {
  Bench bench;
  bench.api.injects = false;
  const Repairer::Step first = bench.AdvanceSettled();
  REQUIRE(bench.record.status == "null");
  CHECK(bench.Told() == 1);
  bench.clock.Advance(std::chrono::milliseconds(*first.again_ms));
  CHECK(bench.Advance().outcome == first.outcome);
  CHECK(bench.api.dry_runs == 2);
  CHECK(bench.Told() == 1);

  bench.api.injects = true;
  bench.api.evict_fails = ErrorReason::kTooManyRequests;
  bench.clock.Advance(std::chrono::hours(1));
  const Repairer::Step second = bench.Advance();
  REQUIRE(second.outcome.reason == "DisruptionBudget");
  CHECK(bench.Told() == 2);
  bench.api.injects = false;
  bench.clock.Advance(std::chrono::milliseconds(*second.again_ms));
  CHECK(bench.Advance().outcome == first.outcome);
  CHECK(bench.Told() == 3);
}

TEST_CASE("another InferenceService of the same name begins anew") {
  Bench bench;
  bench.api.evict_fails = ErrorReason::kTooManyRequests;
  bench.record.service.uid = "first";
  CHECK(bench.AdvanceSettled().outcome.reason == "DisruptionBudget");
  bench.record.service.uid = "second";
  CHECK(bench.AdvanceSettled().outcome.reason == "DisruptionBudget");
  CHECK(bench.Told() == 2);
}

}  // namespace shm::controller
