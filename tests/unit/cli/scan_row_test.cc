#include "cli/scan_row.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/mutation.h"
#include "core/quantity.h"
#include "tests/unit/cli/scan_objects.h"

namespace shm::cli {
namespace {

using namespace testing;
using Bytes = std::optional<std::int64_t>;

const Json kVllm2 = {"vllm", "serve", "m", "--tensor-parallel-size", "2"};
constexpr const char* kServiceLabel = "shm-operator.dev/service";
constexpr const char* kInjectLabel = "shm-operator.dev/inject";

Surroundings Enabled() {
  Surroundings around;
  around.namespaces["llm"].enabled = true;
  return around;
}

ScanRow Describe(const Json& pod, const Surroundings& around = Enabled()) {
  const Result<ScannedPod> scanned = ReadScannedPod(pod);
  REQUIRE(scanned.ok());
  return DescribePod(*scanned, around);
}

InferenceService Service(const Json& object) {
  const auto service = ParseInferenceService(object);
  REQUIRE(service.ok());
  return *service;
}

bool HasReason(const ScanRow& row, const std::string& reason) {
  return std::find(row.reasons.begin(), row.reasons.end(), reason) != row.reasons.end();
}

Json HostIpc(Json pod) {
  pod["spec"]["hostIPC"] = true;
  return pod;
}

Json ReadOnly(Json pod) {
  ContainerOf(pod)["volumeMounts"][0]["readOnly"] = true;
  return pod;
}

// As an engine that has a second container with GPUs and no volume.
Json WithSecondContainer(Json pod) {
  Json second = ContainerOf(pod);
  second["name"] = "second";
  second.erase("volumeMounts");
  pod["spec"]["containers"].push_back(second);
  return pod;
}

TEST_CASE("S2, S3: what a pod has is what the kubelet makes of volume and memory limit") {
  constexpr std::int64_t kMi = kMebibyte;
  constexpr std::int64_t kGi = kGibibyte;
  struct Case {
    const char* name;
    Json pod;
    Bytes bytes;
    ShmSource source;
  };
  const Json pod = MakePod("p", 2);
  Json pod_limit = WithVolume(pod, Memory("4Gi"));
  pod_limit["spec"]["resources"]["limits"]["memory"] = "1Gi";
  Json one_limited = WithSecondContainer(WithMemoryLimit(WithVolume(pod, Memory("4Gi")), "1Gi"));
  one_limited["spec"]["containers"][1]["resources"]["limits"].erase("memory");
  one_limited["spec"]["containers"][1]["volumeMounts"] = ContainerOf(one_limited)["volumeMounts"];
  Json other_spelling = WithVolume(pod, Memory("4Gi"));
  ContainerOf(other_spelling)["volumeMounts"][0]["mountPath"] = "/dev//shm/";
  Json elsewhere = WithVolume(pod, Memory("4Gi"));
  ContainerOf(elsewhere)["volumeMounts"][0]["mountPath"] = "/cache";
  const std::vector<Case> cases = {
      {"no volume", pod, 64 * kMi, ShmSource::kRuntime},
      {"a volume elsewhere", elsewhere, 64 * kMi, ShmSource::kRuntime},
      {"a sizeLimit", WithVolume(pod, Memory("4Gi")), 4 * kGi, ShmSource::kSizeLimit},
      {"another spelling of the path", other_spelling, 4 * kGi, ShmSource::kSizeLimit},
      {"a limit above the sizeLimit", WithMemoryLimit(WithVolume(pod, Memory("4Gi")), "8Gi"),
       4 * kGi, ShmSource::kSizeLimit},
      {"a limit below the sizeLimit", WithMemoryLimit(WithVolume(pod, Memory("4Gi")), "1Gi"), kGi,
       ShmSource::kMemoryLimit},
      {"a limit of the pod itself", pod_limit, kGi, ShmSource::kMemoryLimit},
      {"a limit of one container of two", one_limited, 4 * kGi, ShmSource::kSizeLimit},
      {"no sizeLimit, a limit", WithMemoryLimit(WithVolume(pod, Memory("")), "3Gi"), 3 * kGi,
       ShmSource::kMemoryLimit},
      {"neither", WithVolume(pod, Memory("")), std::nullopt, ShmSource::kNodeAllocatable},
      {"a sizeLimit of 0", WithVolume(pod, Memory("0")), std::nullopt, ShmSource::kNodeAllocatable},
      {"read-only", ReadOnly(WithVolume(pod, Memory("4Gi"))), 0, ShmSource::kReadOnly},
      {"on disk", WithVolume(pod, {{"emptyDir", Json::object()}}), std::nullopt,
       ShmSource::kForeignVolume},
      {"of the host", WithVolume(pod, {{"hostPath", {{"path", "/dev/shm"}}}}), std::nullopt,
       ShmSource::kForeignVolume},
      {"hostIPC", HostIpc(pod), std::nullopt, ShmSource::kHostIpc},
      {"hostIPC, a volume of its own", HostIpc(WithVolume(pod, Memory("4Gi"))), 4 * kGi,
       ShmSource::kSizeLimit},
      {"CRI-O's", WithAnnotation(pod, "io.kubernetes.cri-o.ShmSize", "2Gi"), std::nullopt,
       ShmSource::kCrioAnnotation},
      {"one GPU container of two", WithSecondContainer(WithVolume(pod, Memory("4Gi"))), 64 * kMi,
       ShmSource::kRuntime},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const ScanRow row = Describe(c.pod);
    CHECK(row.present.bytes == c.bytes);
    CHECK(ShmSourceName(row.present.source) == ShmSourceName(c.source));
  }
}

TEST_CASE("The verdict weighs what a pod has against what it would get and may take") {
  struct Case {
    const char* name;
    Json pod;
    Verdict verdict;
    bool below_need;
    const char* would_get;  // "": no volume
    const char* reason;
  };
  const Json two = WithArgs(MakePod("p", 2), kVllm2);
  const Json one = MakePod("p", 1);
  Json taken = two;
  taken["spec"]["volumes"] =
      Json::array({{{"name", "shm-operator-dshm"}, {"emptyDir", Json::object()}}});
  Json windows = two;
  windows["spec"]["os"]["name"] = "windows";
  const std::vector<Case> cases = {
      {"vLLM on two GPUs", two, Verdict::kTooSmall, true, "2Gi", "Sized"},
      {"one GPU", one, Verdict::kTooSmall, false, "1Gi", "Sized"},
      {"a volume of the size", WithVolume(two, Memory("2Gi")), Verdict::kEnough, false, "2Gi",
       "Sized"},
      {"a volume below the need", WithVolume(two, Memory("1Gi")), Verdict::kTooSmall, true, "2Gi",
       "Sized"},
      {"a volume above the need", WithVolume(two, Memory("1200Mi")), Verdict::kTooSmall, false,
       "2Gi", "Sized"},
      {"a larger volume", WithVolume(two, Memory("8Gi")), Verdict::kEnough, false, "2Gi",
       "LargerVolumeKept"},
      {"an unbounded volume", WithVolume(two, Memory("")), Verdict::kEnough, false, "2Gi", "Sized"},
      {"a pod limit that cuts the volume", WithMemoryLimit(WithVolume(two, Memory("2Gi")), "1Gi"),
       Verdict::kTooSmall, true, "2Gi", "PodMemoryLimitTooSmall"},
      {"an annotation below the need", WithAnnotation(two, "shm-operator.dev/shm-size", "64Mi"),
       Verdict::kTooSmall, true, "64Mi", "BelowComputedNeed"},
      {"a disk volume", WithVolume(two, {{"emptyDir", Json::object()}}), Verdict::kNotOurs, false,
       "", "ForeignVolume"},
      {"hostIPC", HostIpc(two), Verdict::kNotOurs, false, "", "HostIpc"},
      {"the volume's name is taken", taken, Verdict::kTooSmall, true, "", "VolumeNameTaken"},
      {"opted out", WithLabel(two, kInjectLabel, "false"), Verdict::kNotOurs, true, "", "OptedOut"},
      {"a static pod", WithAnnotation(two, "kubernetes.io/config.mirror", "x"), Verdict::kNotOurs,
       true, "", "MirrorPod"},
      {"Windows", windows, Verdict::kNotOurs, true, "", "Windows"},
      {"no GPU", MakePod("p", 0), Verdict::kNoGpus, false, "", "NoGpus"},
      {"no GPU, opted out", WithLabel(MakePod("p", 0), kInjectLabel, "false"), Verdict::kNoGpus,
       false, "", "OptedOut"},
      {"a label that names nothing", WithLabel(two, kServiceLabel, "absent"), Verdict::kTooSmall,
       true, "", "UnknownService"},
      {"one GPU, a label that names nothing", WithLabel(one, kServiceLabel, "absent"),
       Verdict::kTooSmall, false, "", "UnknownService"},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const ScanRow row = Describe(c.pod);
    CHECK(VerdictName(row.verdict) == VerdictName(c.verdict));
    CHECK(row.below_need() == c.below_need);
    CHECK((row.would_get ? FormatBytes(*row.would_get) : "") == c.would_get);
    CHECK(HasReason(row, c.reason));
  }
}

TEST_CASE("A row says what the pod is: GPUs, degrees, engine, node and phase") {
  const Json pod =
      WithArgs(MakePod("p", 4), {"vllm", "serve", "m", "-tp", "2", "-pp", "2", "-dp", "3"});
  const ScanRow row = Describe(pod);
  CHECK(row.namespace_name == "llm");
  CHECK(row.pod == "p");
  CHECK(row.node == "node1");
  CHECK(row.phase == "Running");
  CHECK(row.gpus == 4);
  CHECK(row.degrees == Degrees{2, 2, 3});
  CHECK(row.engine == "vLLM");
  CHECK(row.service.empty());
  CHECK(row.outcome == "Injected");
  CHECK_FALSE(row.injected);
  CHECK(row.arithmetic.find("1Gi × 4 GPUs") != std::string::npos);
  CHECK(HasReason(row, "ParallelismMismatch"));
  REQUIRE(row.warnings.size() == 1);
  CHECK(row.warnings[0].find("ParallelismMismatch: TP 2 × PP 2 × DP 3 = 12") == 0);
}

TEST_CASE("InferenceService, namespace and installation set the size, in this order") {
  Surroundings around = Enabled();
  around.installation.size_per_gpu = 3 * kGibibyte;
  const Json pod = MakePod("p", 2);
  CHECK(Describe(pod, around).would_get == 6 * kGibibyte);
  around.namespaces["llm"] = ReadNamespaceFacts(
      MakeNamespace("llm", true, {{"shm-operator.dev/size-per-gpu", "2Gi"}, {"other", "5Gi"}}));
  CHECK(Describe(pod, around).would_get == 4 * kGibibyte);
  around.services["llm"] = {
      Service(MakeService("s", {{"selector", {{"matchLabels", {{"app", "engine"}}}}},
                                {"tensorParallelSize", 2},
                                {"sharedMemory", {{"size", "7Gi"}}}}))};
  CHECK(Describe(pod, around).would_get == 4 * kGibibyte);
  const ScanRow selected = Describe(WithLabel(pod, "app", "engine"), around);
  CHECK(selected.would_get == 7 * kGibibyte);
  CHECK(selected.service == "s");
  CHECK(selected.degrees.tensor_parallel == 2);
  // Of another namespace.
  CHECK(Describe(WithLabel(MakePod("p", 2, "other"), "app", "engine"), around).would_get ==
        6 * kGibibyte);
}

TEST_CASE("Mode Disabled needs no volume where NCCL is set to do without, by the webhook") {
  Surroundings around = Enabled();
  around.services["llm"] = {
      Service(MakeService("s", {{"selector", {{"matchLabels", {{"app", "engine"}}}}},
                                {"sharedMemory", {{"mode", "Disabled"}}}}))};
  const Json pod = WithLabel(MakePod("p", 2), "app", "engine");
  const ScanRow never_seen = Describe(pod, around);
  CHECK_FALSE(never_seen.would_get);
  CHECK(never_seen.verdict == Verdict::kTooSmall);
  CHECK(never_seen.below_need());
  const ScanRow seen = Describe(WithLabel(pod, "shm-operator.dev/injected", "true"), around);
  CHECK(seen.verdict == Verdict::kEnough);
  CHECK(seen.need == 0);
  // vLLM's own needs stay.
  const Json vllm = WithLabel(WithArgs(pod, kVllm2), "shm-operator.dev/injected", "true");
  CHECK(Describe(vllm, around).verdict == Verdict::kTooSmall);
}

TEST_CASE("A7: a pod as the webhook left it has what it would get") {
  const Json labelled = WithLabel(MakePod("p", 2), kServiceLabel, "s");
  Surroundings around = Enabled();
  around.services["llm"] = {
      Service(MakeService("s", {{"tensorParallelSize", 2}, {"selector", Json::object()}}))};
  const Result<ScannedPod> before = ReadScannedPod(labelled);
  REQUIRE(before.ok());
  PodContext context;
  context.namespace_name = "llm";
  context.services = {&around.services["llm"][0]};
  const PodDecision decision = DecidePod(before->view, context);
  const Json after = labelled.patch(Json::parse(RenderJsonPatch(decision.patch)));
  const ScanRow row = Describe(after, around);
  CHECK(row.injected);
  CHECK(row.outcome == "Unchanged");
  CHECK(row.present.bytes == 2 * kGibibyte);
  CHECK(row.would_get == 2 * kGibibyte);
  CHECK(row.verdict == Verdict::kEnough);
  CHECK(row.warnings.empty());
  // The InferenceService asks for more since.
  around.services["llm"][0].shared_memory.size = 3 * kGibibyte;
  CHECK(Describe(after, around).verdict == Verdict::kTooSmall);
}

TEST_CASE("A pod is covered where the chart's webhook would see it made again") {
  struct Case {
    const char* name;
    Json pod;
    std::optional<bool> covered;
  };
  Surroundings around = Enabled();
  around.namespaces["closed"];
  around.namespaces["kube-system"].enabled = true;
  const auto labelled = [](const char* name_space) {
    return WithLabel(MakePod("p", 2, name_space), kServiceLabel, "s");
  };
  const std::vector<Case> cases = {
      {"an enabled namespace", MakePod("p", 2), true},
      {"another namespace", MakePod("p", 2, "closed"), false},
      {"a namespace that is not known", MakePod("p", 2, "unknown"), std::nullopt},
      {"labelled, in another namespace", labelled("closed"), true},
      {"labelled, in one that is not known", labelled("unknown"), true},
      {"A11: kube-system", labelled("kube-system"), false},
      {"opted out", WithLabel(labelled("llm"), kInjectLabel, "false"), false},
      {"a static pod", WithAnnotation(MakePod("p", 2), "kubernetes.io/config.mirror", "x"), false},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(Describe(c.pod, around).covered == c.covered);
  }
}

TEST_CASE("Where InferenceServices are not known, a labelled pod goes by its own words") {
  Surroundings around = Enabled();
  around.services_known = false;
  const Json pod = WithAnnotation(WithLabel(MakePod("p", 2), kServiceLabel, "s"),
                                  "shm-operator.dev/shm-size", "5Gi");
  const ScanRow row = Describe(pod, around);
  CHECK(row.would_get == 5 * kGibibyte);
  CHECK(row.service == "s");
  CHECK_FALSE(HasReason(row, "UnknownService"));
}

TEST_CASE("A row without GPUs is idle unless something is to be said of it") {
  CHECK(Describe(MakePod("p", 0)).idle());
  CHECK(Describe(WithLabel(MakePod("p", 0), kInjectLabel, "false")).idle());
  CHECK(Describe(WithAnnotation(MakePod("p", 0), "kubernetes.io/config.mirror", "x")).idle());
  CHECK_FALSE(Describe(MakePod("p", 1)).idle());
  CHECK_FALSE(Describe(WithLabel(MakePod("p", 0), kServiceLabel, "absent")).idle());
  Json claims = MakePod("p", 0);
  claims["spec"]["resourceClaims"] = Json::array({{{"name", "gpus"}}});
  const ScanRow row = Describe(claims);
  CHECK_FALSE(row.idle());
  CHECK(HasReason(row, "ResourceClaims"));
}

}  // namespace
}  // namespace shm::cli
