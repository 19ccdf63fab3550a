#include "cli/check.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "cli/check_report.h"
#include "cli/manifest_check.h"
#include "cli/manifest_flags.h"
#include "cli/output.h"

namespace shm::cli {
namespace {

struct CheckFlags {
  ManifestFlags manifests;
  std::string webhook = "installed";
  std::string severity = "warning";
  std::string output = "text";
};

CheckRules RulesOf(const CheckFlags& flags) {
  return {flags.webhook == "absent" ? WebhookUse::kAbsent : WebhookUse::kInstalled,
          flags.webhook == "everywhere"};
}

// Findings that are not asked for are none. Returns how many these are.
std::size_t DropBelow(const std::string& severity, CheckReport* report) {
  const Severity least = *ParseSeverity(severity);  // CLI11 has checked it
  return std::erase_if(report->findings,
                       [least](const Finding& finding) { return finding.severity > least; });
}

// The one place that knows the formats.
void Write(const CheckReport& report, std::size_t dropped, const std::string& format,
           const Streams& streams) {
  if (format == "text") {
    WriteFindings(report, streams.out);
    WriteCheckSummary(report, dropped, streams.err);
  } else {
    WriteAnswer(format == "sarif" ? ToSarif(report) : ToJson(report), "json", streams.out);
  }
}

int Check(const CheckFlags& flags, const Streams& streams) {
  auto input = OpenManifests(flags.manifests, streams);
  if (!input.ok()) return BadInput(streams, input.error());
  auto report = CheckManifests(&*input, RulesOf(flags));
  if (!report.ok()) return BadInput(streams, report.error());
  const std::size_t dropped = DropBelow(flags.severity, &*report);
  Write(*report, dropped, flags.output, streams);
  return report->findings.empty() ? kDone : kFinding;
}

constexpr const char* kFooter =
    "A pod passes that starts with enough: by what its manifest declares, or by the webhook where "
    "it\n"
    "would see the pod. InferenceServices and Namespaces among the manifests count.\n"
    "--webhook says what is presumed of the cluster:\n"
    "  installed   it sees pods with the label shm-operator.dev/service, and those of Namespaces\n"
    "              among the manifests that carry shm-operator.dev/injection=enabled\n"
    "  everywhere  all namespaces carry that label, whether their manifests are here or not\n"
    "  absent      what a manifest declares must do\n"
    "Exit codes: 0 no finding, 1 findings, 2 bad input\n";

void Declare(CLI::App* app, CheckFlags* flags) {
  AddManifestFlags(app, &flags->manifests);
  app->add_option("--webhook", flags->webhook, "installed, everywhere or absent; else installed")
      ->check(CLI::IsMember({"installed", "everywhere", "absent"}));
  app->add_option("--severity", flags->severity,
                  "The least that is a finding: error, warning or note; else warning")
      ->check(CLI::IsMember({"error", "warning", "note"}));
  app->add_option("-o,--output", flags->output, "text, json or sarif; else text")
      ->check(CLI::IsMember({"text", "json", "sarif"}));
  app->footer(kFooter);
}

}  // namespace

Command AddCheck(CLI::App& program) {
  const auto flags = std::make_shared<CheckFlags>();
  CLI::App* app = program.add_subcommand(
      "check", "Which pods of manifests would start with too little /dev/shm, or be refused.");
  Declare(app, flags.get());
  return {app, [flags](const Streams& streams) { return Check(*flags, streams); }};
}

}  // namespace shm::cli
