#include "cli/size_report.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "core/engine.h"
#include "core/names.h"
#include "core/nccl.h"
#include "core/quantity.h"

namespace shm::cli {
namespace {

// Degrees that neither fit the pod's GPUs nor spread evenly over several such pods.
void CheckDegrees(const SizeRequest& request, std::vector<std::string>* warnings) {
  if (request.product <= request.gpus || request.product % request.gpus == 0) return;
  warnings->push_back("TP × PP × DP = " + std::to_string(request.product) +
                      " GPUs do not divide by the pod's " + std::to_string(request.gpus) +
                      "; /dev/shm follows --gpus");
}

std::string BytesInWords(std::int64_t bytes) {
  return FormatMebibytes(bytes) + " (" + std::to_string(bytes) + " bytes)";
}

std::string EngineInWords(const SizeReport& report) {
  if (report.request.engine.empty()) return "none named: --engine adds what it takes itself";
  if (report.engine_bytes == 0) return report.request.engine + " takes nothing that is known";
  return report.request.engine + " " + BytesInWords(report.engine_bytes);
}

void WriteYaml(const std::string& size, std::ostream& out) {
  out << "spec:\n"
         "  volumes:\n"
         "    - name: dshm\n"
         "      emptyDir:\n"
         "        medium: Memory\n"
         "        sizeLimit: "
      << size
      << "\n"
         "  containers:\n"
         "    - volumeMounts: # in every container of the pod\n"
         "        - name: dshm\n"
         "          mountPath: "
      << names::kMountPath << "\n";
}

}  // namespace

SizeReport DecideReport(const SizeRequest& request) {
  SizeReport report;
  report.request = request;
  EngineFacts engine = ReadEngine(EngineCommandOf(request.engine), {}, request.env, request.gpus,
                                  request.memory_limit);
  // Without an engine there is no command line whose reading could be in doubt.
  if (!request.engine.empty()) report.warnings = engine.warnings;
  const NcclSettings settings = ReadNcclSettings(request.env, &report.warnings);
  report.nccl_bytes = PredictNcclBytes(settings, request.gpus, request.communicators);
  report.nccl_provision_bytes = NcclProvisionBytes(settings, request.gpus, request.communicators);
  report.engine_bytes = engine.need_bytes;
  CheckDegrees(request, &report.warnings);

  SizeInput input;
  input.gpus = request.gpus;
  input.size_per_gpu = request.size_per_gpu;
  input.communicators = request.communicators;
  input.max_size = request.max_size;
  input.needs = {{report.engine_bytes, engine.need_words, report.nccl_provision_bytes}};
  report.decision = DecideSize(input);
  for (const Note& note : report.decision.notes) report.warnings.push_back(note.ToString());
  return report;
}

std::string DockerSize(std::int64_t bytes) {
  if (bytes > 0 && bytes % kGibibyte == 0) return std::to_string(bytes / kGibibyte) + "g";
  if (bytes > 0 && bytes % kMebibyte == 0) return std::to_string(bytes / kMebibyte) + "m";
  return std::to_string(bytes);
}

void WriteText(const SizeReport& report, std::ostream& out) {
  const SizeDecision& decision = report.decision;
  const std::string size = FormatBytes(decision.size);
  out << "Size:   " << size << " (" << decision.size << " bytes)\n"
      << "Why:    " << decision.arithmetic << "\n"
      << "NCCL:   takes " << BytesInWords(report.nccl_bytes) << " with this environment, at worst "
      << BytesInWords(report.nccl_provision_bytes) << "\n"
      << "Engine: " << EngineInWords(report) << "\n\nKubernetes:\n\n";
  WriteYaml(size, out);
  out << "\nDocker:\n\ndocker run --shm-size=" << DockerSize(decision.size) << "\n";
}

nlohmann::ordered_json ToJson(const SizeReport& report) {
  const SizeDecision& decision = report.decision;
  nlohmann::ordered_json json;
  json["sizeBytes"] = decision.size;
  json["computedBytes"] = decision.computed;
  json["needBytes"] = decision.need;
  json["gpus"] = report.request.gpus;
  json["communicators"] = report.request.communicators;
  json["ncclBytes"] = report.nccl_bytes;
  json["ncclProvisionBytes"] = report.nccl_provision_bytes;
  json["engineBytes"] = report.engine_bytes;
  json["reason"] = decision.arithmetic;
  json["shmSize"] = DockerSize(decision.size);
  json["emptyDir"] = {{"medium", "Memory"}, {"sizeLimit", FormatBytes(decision.size)}};
  json["warnings"] = report.warnings;
  return json;
}

}  // namespace shm::cli
