#include "cli/scan.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <istream>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "cli/installation_flags.h"
#include "cli/output.h"
#include "cli/scan_cluster.h"
#include "cli/scan_input.h"
#include "cli/scan_report.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/http_transport.h"

namespace shm::cli {
namespace {

struct ScanFlags {
  std::string kubeconfig, context, namespace_name, file;
  bool all_namespaces = false;
  bool all = false;
  InstallationFlags installation;  // sizes alone
  std::string output = "table";
};

constexpr const char* kFooter =
    "Columns: HAS is what /dev/shm is now, NEED what NCCL and the engine may take of it, GETS "
    "what\n"
    "the operator would give a new pod of this kind, COVERED whether its webhook would see that\n"
    "pod. Verdicts: TooSmall (HAS is below GETS or NEED), Enough, NotOurs (opted out, or somebody\n"
    "else's /dev/shm), NoGpus. Pods that have ended are left out.\n\n"
    "JSON and YAML: {\"pods\": [...], \"summary\": {...}}; sizes are bytes, null is not known or "
    "none.\n\n"
    "Needs get and list of pods; of namespaces and inferenceservices.shm-operator.dev to say "
    "more.\n"
    "A kubeconfig whose user is an exec plugin is refused: pipe what kubectl reads instead,\n"
    "  kubectl get pods,namespaces,inferenceservices.shm-operator.dev -A -o json | shmctl scan -f "
    "-\n"
    "\n"
    "Exit codes: 0 all have enough, 1 some pod is TooSmall, 2 bad input, or no way to the pods\n";

void Warn(const std::vector<std::string>& warnings, const Streams& streams) {
  for (const std::string& warning : warnings) streams.err << "warning: " << warning << "\n";
}

Result<ScanReport> ScanFile(const ScanFlags& flags, const InstallationDefaults& defaults,
                            const Streams& streams) {
  const bool is_stdin = flags.file == "-";
  std::ifstream file;
  if (!is_stdin) {
    file.open(flags.file, std::ios::binary);
    if (!file) return Error{"--filename", "\"" + flags.file + "\" cannot be read"};
  }
  Result<ScanInput> input =
      ReadScanInput(is_stdin ? streams.in : file, is_stdin ? "stdin" : flags.file);
  if (!input.ok()) return input.error();
  Warn(input->warnings, streams);
  input->around.installation = defaults;
  ScanReport report(flags.all);
  for (const ScannedPod& pod : input->pods) {
    const bool wanted = flags.namespace_name.empty() || flags.namespace_name == pod.namespace_name;
    if (wanted) report.Add(DescribePod(pod, input->around));
  }
  report.Sort();
  return report;
}

std::string ServerName(const kube::ClusterConfig& cluster) {
  const bool ipv6 = cluster.host.find(':') != std::string::npos;
  return std::string(cluster.tls ? "https://" : "http://") +
         (ipv6 ? "[" + cluster.host + "]" : cluster.host) + ":" + std::to_string(cluster.port) +
         cluster.base_path;
}

Result<ScanReport> ScanServer(const ScanFlags& flags, const InstallationDefaults& defaults,
                              const Streams& streams) {
  const Result<kube::ClusterConfig> cluster =
      kube::LoadClusterConfig(flags.kubeconfig, kube::ProcessEnvironment(), flags.context);
  if (!cluster.ok()) return cluster.error();
  kube::InitializeClientThreads();
  kube::HttpTransportOptions options;
  options.user_agent = "shmctl/" SHM_VERSION;
  const auto transport = kube::MakeHttpTransport(*cluster, std::move(options));
  if (!transport.ok()) return transport.error();
  kube::Client client(**transport);
  ScanScope scope;
  scope.idle_pods = flags.all;
  if (!flags.all_namespaces) {
    scope.namespace_name =
        flags.namespace_name.empty() ? cluster->namespace_name : flags.namespace_name;
  }
  std::vector<std::string> warnings;
  Result<ScanReport> report = ScanCluster(client, scope, defaults, &warnings);
  Warn(warnings, streams);
  if (report.ok()) return report;
  return Error{ServerName(*cluster) + ": " + report.error().field, report.error().message};
}

// The one place that knows the formats.
void Write(const ScanReport& report, const std::string& format, const Streams& streams) {
  if (format == "table") {
    WriteTable(report, streams.out);
    WriteSummary(report, streams.err);
  } else {
    WriteAnswer(ToJson(report), format, streams.out);
  }
}

int Scan(const ScanFlags& flags, const Streams& streams) {
  const Result<InstallationDefaults> defaults = ReadInstallationFlags(flags.installation);
  Result<ScanReport> report = !defaults.ok()       ? Result<ScanReport>(defaults.error())
                              : flags.file.empty() ? ScanServer(flags, *defaults, streams)
                                                   : ScanFile(flags, *defaults, streams);
  if (!report.ok()) return BadInput(streams, report.error());
  Write(*report, flags.output, streams);
  return report->Summary().too_small > 0 ? kFinding : kDone;
}

void Declare(CLI::App* app, ScanFlags* flags) {
  CLI::Option* kubeconfig = AddFlag(app, "--kubeconfig", flags->kubeconfig,
                                    "Else $KUBECONFIG, a pod's own account, ~/.kube/config")
                                ->type_name("PATH");
  CLI::Option* context = AddFlag(app, "--context", flags->context, "Of the kubeconfig");
  CLI::Option* name_space = AddFlag(app, "-n,--namespace", flags->namespace_name,
                                    "This one; else the context's, or all that a file has");
  CLI::Option* all_namespaces =
      app->add_flag("-A,--all-namespaces", flags->all_namespaces, "All namespaces");
  all_namespaces->excludes(name_space);
  AddFlag(app, "-f,--filename", flags->file,
          "Read a List from this file, - for stdin, instead of from a cluster")
      ->type_name("PATH")
      ->excludes(kubeconfig)
      ->excludes(context);
  app->add_flag("--all", flags->all, "List pods without GPUs, too");
  AddFlag(app, "--size-per-gpu", flags->installation.size_per_gpu,
          "As the installation has it; else 1Gi");
  AddFlag(app, "--max-size", flags->installation.max_size, "As the installation has it; else none");
  app->add_option("-o,--output", flags->output, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  app->footer(kFooter);
}

}  // namespace

Command AddScan(CLI::App& program) {
  const auto flags = std::make_shared<ScanFlags>();
  CLI::App* app = program.add_subcommand(
      "scan", "Which live pods have too little /dev/shm, and what they would get. Reads only.");
  Declare(app, flags.get());
  return {app, [flags](const Streams& streams) { return Scan(*flags, streams); }};
}

}  // namespace shm::cli
