#include "cli/size.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "cli/output.h"
#include "cli/size_report.h"
#include "cli/size_request.h"

namespace shm::cli {
namespace {

struct Options {
  SizeFlags flags;
  std::string output = "text";
};

int Size(const Options& options, const Streams& streams) {
  const Result<SizeRequest> request = ReadSizeRequest(options.flags);
  if (!request.ok()) return BadInput(streams, request.error());
  const SizeReport report = DecideReport(*request);
  for (const std::string& warning : report.warnings) {
    streams.err << "warning: " << warning << "\n";
  }
  if (options.output == "text") {
    WriteText(report, streams.out);
  } else {
    WriteAnswer(ToJson(report), options.output, streams.out);
  }
  return report.below_need() ? kFinding : kDone;
}

void Declare(CLI::App* app, Options* options) {
  SizeFlags& flags = options->flags;
  AddFlag(app, "--tp", flags.tp, "Tensor parallel size, 1 to 1024");
  AddFlag(app, "--pp", flags.pp, "Pipeline parallel size, 1 to 1024");
  AddFlag(app, "--dp", flags.dp, "Data parallel size, 1 to 1024");
  AddFlag(app, "--gpus", flags.gpus, "GPUs in the pod, 1 to 1024; else TP × PP × DP");
  AddFlag(app, "--communicators", flags.communicators,
          "NCCL communicators to provide for, 1 to 1024; else 4");
  app->add_option("--env", flags.env, "NAME=VALUE of the container; may be repeated")
      ->allow_extra_args();
  std::string names;
  for (const std::string& name : EngineNames()) names += (names.empty() ? "" : ", ") + name;
  AddFlag(app, "--engine", flags.engine, "What runs in the pod: " + names);
  AddFlag(app, "--memory-limit", flags.memory_limit,
          "The container's memory limit, of which Ray takes a share");
  AddFlag(app, "--size-per-gpu", flags.size_per_gpu, "As the installation has it; else 1Gi");
  AddFlag(app, "--max-size", flags.max_size, "As the installation has it; else none");
  app->add_option("-o,--output", options->output, "text, json or yaml")
      ->check(CLI::IsMember({"text", "json", "yaml"}));
  app->footer("Exit codes: 0 done, 1 --max-size is below what the pod may need, 2 bad input\n");
}

}  // namespace

Command AddSize(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = program.add_subcommand(
      "size", "How large /dev/shm should be: the arithmetic, a pod's emptyDir, Docker's flag.");
  Declare(app, options.get());
  return {app, [options](const Streams& streams) { return Size(*options, streams); }};
}

}  // namespace shm::cli
