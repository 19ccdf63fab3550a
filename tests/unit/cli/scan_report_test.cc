#include "cli/scan_report.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/quantity.h"

namespace shm::cli {
namespace {

ScanRow MakeRow(const std::string& name_space, const std::string& pod, Verdict verdict,
                std::int64_t has = 64 * kMebibyte, std::int64_t need = 0) {
  ScanRow row;
  row.namespace_name = name_space;
  row.pod = pod;
  row.verdict = verdict;
  row.gpus = verdict == Verdict::kNoGpus ? 0 : 2;
  row.present = {has, ShmSource::kRuntime};
  row.need = need;
  row.covered = true;
  return row;
}

template <typename Writer>
std::string Written(const ScanReport& report, const Writer& write) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

TEST_CASE("The worst come first, then namespace and name decide") {
  ScanReport report;
  report.Add(MakeRow("b", "enough", Verdict::kEnough));
  report.Add(MakeRow("b", "small", Verdict::kTooSmall));
  report.Add(MakeRow("a", "not-ours", Verdict::kNotOurs));
  report.Add(MakeRow("b", "dies", Verdict::kTooSmall, 64 * kMebibyte, kGibibyte));
  report.Add(MakeRow("a", "small", Verdict::kTooSmall));
  report.Add(MakeRow("a", "enough", Verdict::kEnough));
  report.Sort();
  std::vector<std::string> names;
  for (const ScanRow& row : report.rows()) names.push_back(row.namespace_name + "/" + row.pod);
  CHECK(names == std::vector<std::string>{"b/dies", "a/small", "b/small", "a/not-ours", "a/enough",
                                          "b/enough"});
}

TEST_CASE("Rows of idle pods are counted, and kept only where all are asked for") {
  for (const bool all : {false, true}) {
    ScanReport report(all);
    for (int i = 0; i < 10000; ++i) report.Add(MakeRow("a", "idle", Verdict::kNoGpus));
    ScanRow spoken_of = MakeRow("a", "claims", Verdict::kNoGpus);
    spoken_of.warnings = {"ResourceClaims: cannot be counted"};
    report.Add(spoken_of);
    report.Add(MakeRow("a", "p", Verdict::kEnough));
    CHECK(report.rows().size() == (all ? 10002u : 2u));
    CHECK(report.Summary().scanned == 10002);
    CHECK(report.Summary().with_gpus == 1);
    report.Clear();
    report.Add(MakeRow("a", "idle", Verdict::kNoGpus));
    CHECK(report.rows().size() == (all ? 1u : 0u));
    CHECK(report.Summary().scanned == 1);
  }
}

TEST_CASE("The table's columns stand below each other") {
  ScanReport report;
  ScanRow row = MakeRow("llm", "engine-0", Verdict::kTooSmall, 64 * kMebibyte, 1156 * kMebibyte);
  row.node = "node1";
  row.engine = "vLLM";
  row.degrees = {2, 2, 1};
  row.would_get = 2 * kGibibyte;
  row.reasons = {"Sized", "EnvFrom", "NcclSetting"};
  report.Add(row);
  ScanRow other = MakeRow("longer-name", "p", Verdict::kNotOurs);
  other.present = {std::nullopt, ShmSource::kHostIpc};
  other.reasons = {"HostIpc"};
  other.covered = std::nullopt;
  report.Add(other);
  ScanRow unbounded = MakeRow("z", "p", Verdict::kEnough);
  unbounded.present = {std::nullopt, ShmSource::kNodeAllocatable};
  unbounded.covered = false;
  report.Add(unbounded);
  CHECK(Written(report, WriteTable) ==
        // clang-format off
        "NAMESPACE     POD        NODE     GPUS   PARALLEL   ENGINE   HAS           NEED     GETS     COVERED     VERDICT    REASONS\n"
        "llm           engine-0   node1    2      TP2,PP2    vLLM     64Mi          1156Mi   2Gi      yes         TooSmall   EnvFrom,NcclSetting\n"
        "longer-name   p          <none>   2      <none>     <none>   <node>        0Mi      <none>   <unknown>   NotOurs    HostIpc\n"
        "z             p          <none>   2      <none>     <none>   <unbounded>   0Mi      <none>   no          Enough     <none>\n");
  // clang-format on
}

TEST_CASE("A name of a file cannot steer the terminal") {
  ScanReport report;
  ScanRow row = MakeRow("a\x1b[2J", "p\n\x7f", Verdict::kTooSmall);
  row.covered = false;
  report.Add(row);
  for (const std::string& text : {Written(report, WriteTable), Written(report, WriteSummary)}) {
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x7f') == std::string::npos);
  }
  CHECK(Written(report, WriteTable).find("a?[2J") != std::string::npos);
}

TEST_CASE("The summary counts, and says what is to be done") {
  ScanReport report;
  CHECK(Written(report, WriteSummary) ==
        "0 pods scanned, 0 with GPUs, 0 with less /dev/shm than they would get\n");
  report.Add(MakeRow("a", "enough", Verdict::kEnough));
  CHECK(Written(report, WriteSummary) ==
        "1 pod scanned, 1 with GPUs, 0 with less /dev/shm than they would get\n");
  report.Add(MakeRow("a", "dies", Verdict::kTooSmall, 64 * kMebibyte, kGibibyte));
  CHECK(Written(report, WriteSummary) ==
        "2 pods scanned, 2 with GPUs, 1 with less /dev/shm than they would get (1 with less than "
        "NCCL and the engine may take)\n"
        "A pod gets its /dev/shm when it is made: restart what owns those that are covered.\n");
}

TEST_CASE("Namespaces that a label would open are named, five of them at most") {
  ScanReport report;
  for (const char* name : {"g", "f", "e", "d", "c", "b", "b", "kube-system"}) {
    ScanRow row = MakeRow(name, "p", Verdict::kTooSmall);
    row.covered = false;
    report.Add(row);
  }
  CHECK(Written(report, WriteSummary) ==
        "8 pods scanned, 8 with GPUs, 8 with less /dev/shm than they would get\n"
        "8 of them would not be seen by the webhook: kubectl label namespace b c d e f "
        "shm-operator.dev/injection=enabled (and 1 namespaces more)\n");
  ScanReport system;
  ScanRow row = MakeRow("kube-system", "p", Verdict::kTooSmall);
  row.covered = false;
  system.Add(row);
  CHECK(Written(system, WriteSummary).find("kubectl label") == std::string::npos);
}

TEST_CASE("The JSON has every fact, and null for what is not known or not there") {
  ScanReport report;
  ScanRow row = MakeRow("llm", "p", Verdict::kTooSmall, 64 * kMebibyte, kGibibyte);
  row.would_get = 2 * kGibibyte;
  row.degrees.tensor_parallel = 2;
  row.outcome = "Injected";
  row.reasons = {"Sized"};
  row.covered = false;
  report.Add(row);
  row.present = {std::nullopt, ShmSource::kForeignVolume};
  row.would_get.reset();
  row.covered.reset();
  row.verdict = Verdict::kNotOurs;
  row.node = "node1";
  row.warnings = {"ForeignVolume: left alone"};
  report.Add(row);
  CHECK(ToJson(report) == nlohmann::ordered_json::parse(R"({
    "pods": [
      {"namespace": "llm", "pod": "p", "node": null, "phase": null, "service": null,
       "engine": null, "gpus": 2, "tensorParallelSize": 2, "pipelineParallelSize": null,
       "dataParallelSize": null, "sharedMemoryBytes": 67108864, "sharedMemorySource": "Runtime",
       "wouldGetBytes": 2147483648, "needBytes": 1073741824, "injected": false,
       "outcome": "Injected", "covered": false, "verdict": "TooSmall", "belowNeed": true,
       "arithmetic": "", "reasons": ["Sized"], "warnings": []},
      {"namespace": "llm", "pod": "p", "node": "node1", "phase": null, "service": null,
       "engine": null, "gpus": 2, "tensorParallelSize": 2, "pipelineParallelSize": null,
       "dataParallelSize": null, "sharedMemoryBytes": null,
       "sharedMemorySource": "ForeignVolume", "wouldGetBytes": null, "needBytes": 1073741824,
       "injected": false, "outcome": "Injected", "covered": null, "verdict": "NotOurs",
       "belowNeed": false, "arithmetic": "", "reasons": ["Sized"],
       "warnings": ["ForeignVolume: left alone"]}],
    "summary": {"scanned": 2, "withGpus": 2, "tooSmall": 1, "belowNeed": 1, "notCovered": 1}})"));
}

}  // namespace
}  // namespace shm::cli
