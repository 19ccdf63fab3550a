#include "core/engine.h"

#include <algorithm>
#include <utility>

#include "core/engine_args.h"
#include "core/engine_need.h"
#include "core/engine_values.h"

namespace shm {
namespace {

// TP, PP and DP of one command.
Degrees ReadDegrees(const EngineCommand& command, SettingReader& reader) {
  Degrees degrees;
  degrees.tensor_parallel = reader.Degree(Meaning::kTensorParallel);
  degrees.pipeline_parallel = reader.Degree(Meaning::kPipelineParallel);
  // One rank of several, or ranks inside the tensor parallel ones: they need no GPUs here.
  const bool elsewhere =
      reader.Has(Meaning::kDataParallelRank) || reader.Has(Meaning::kDataParallelInside);
  if (!elsewhere) degrees.data_parallel = reader.Degree(Meaning::kDataParallel);

  if (command.engine == Engine::kTensorRtLlm && !reader.Has(Meaning::kTensorParallel)) {
    const std::optional<int> ranks = reader.Degree(Meaning::kRanks);
    const int stages = degrees.pipeline_parallel.value_or(1);
    if (ranks && *ranks % stages == 0) degrees.tensor_parallel = *ranks / stages;
  }
  return degrees;
}

// Takes one command's degree; two commands that differ leave it unset.
class DegreeMerger {
 public:
  explicit DegreeMerger(const char* name) : name_(name) {}

  void Merge(std::optional<int> value, std::optional<int>* into,
             std::vector<std::string>* warnings) {
    if (!value || conflict_) return;
    if (*into && **into != *value) {
      warnings->push_back("two commands of the container give the " + std::string(name_) + " as " +
                          std::to_string(**into) + " and " + std::to_string(*value));
      conflict_ = true;
      into->reset();
      return;
    }
    *into = value;
  }

 private:
  const char* name_;
  bool conflict_ = false;
};

std::vector<EngineCommand> FindCommands(const CommandLine& line, std::string_view image,
                                        std::vector<std::string>* warnings) {
  std::vector<EngineCommand> found;
  bool serves = false;
  for (const SimpleCommand& command : line.commands) {
    std::optional<EngineCommand> engine = ReadEngineCommand(command, line.env, warnings);
    if (!engine) continue;
    serves = serves || engine->engine != Engine::kRay;
    found.push_back(std::move(*engine));
  }
  if (serves || !found.empty()) return found;
  const Engine guess = GuessEngine(line.commands, image);
  for (const SimpleCommand& command : line.commands) {
    EngineCommand engine = ReadCommandAs(guess, command, warnings);
    if (guess != Engine::kUnknown || !engine.settings.empty()) found.push_back(std::move(engine));
  }
  if (found.empty() && guess != Engine::kUnknown) {
    found.emplace_back();
    found.back().engine = guess;
  }
  return found;
}

// A file of settings is read by the engine alone.
void WarnOfFile(const EngineCommand& command, const Degrees& degrees,
                std::vector<std::string>* warnings) {
  const auto file = command.settings.find(Meaning::kConfigFile);
  if (file == command.settings.end() || degrees.tensor_parallel) return;
  warnings->push_back("what the file of " + file->second.spelling +
                      " sets, the tensor parallel size for one, cannot be told from the pod");
}

void Deduplicate(std::vector<std::string>* warnings) {
  std::vector<std::string> kept;
  for (std::string& warning : *warnings) {
    if (std::find(kept.begin(), kept.end(), warning) == kept.end()) kept.push_back(warning);
    constexpr std::size_t kMostWarnings = 20;
    if (kept.size() >= kMostWarnings) break;
  }
  *warnings = std::move(kept);
}

}  // namespace

std::string_view EngineName(Engine engine) {
  switch (engine) {
    case Engine::kVllm:
      return "vLLM";
    case Engine::kSglang:
      return "SGLang";
    case Engine::kTensorRtLlm:
      return "TensorRT-LLM";
    case Engine::kLmdeploy:
      return "LMDeploy";
    case Engine::kTgi:
      return "Text Generation Inference";
    case Engine::kRay:
      return "Ray";
    case Engine::kUnknown:
      break;
  }
  return "unknown engine";
}

EngineFacts ReadEngine(const std::vector<std::string>& command,
                       const std::vector<std::string>& args, const std::vector<EnvVar>& env,
                       int gpus_of_container, std::optional<std::int64_t> memory_limit,
                       std::string_view image) {
  EngineFacts facts;
  CommandLine line = ReadCommandLine(command, args, PodEnv(env));
  facts.warnings = std::move(line.warnings);
  const std::vector<EngineCommand> commands = FindCommands(line, image, &facts.warnings);

  DegreeMerger tensor("tensor parallel size");
  DegreeMerger pipeline("pipeline parallel size");
  DegreeMerger data("data parallel size");
  for (const EngineCommand& found : commands) {
    SettingReader reader(found, &facts.warnings);
    const Degrees degrees = ReadDegrees(found, reader);
    WarnOfFile(found, degrees, &facts.warnings);
    tensor.Merge(degrees.tensor_parallel, &facts.degrees.tensor_parallel, &facts.warnings);
    pipeline.Merge(degrees.pipeline_parallel, &facts.degrees.pipeline_parallel, &facts.warnings);
    data.Merge(degrees.data_parallel, &facts.degrees.data_parallel, &facts.warnings);
    // The engine that serves names the container; Ray only where nothing else does.
    if (facts.engine == Engine::kUnknown || facts.engine == Engine::kRay) {
      if (found.engine != Engine::kUnknown) facts.engine = found.engine;
    }
  }
  EngineNeed need =
      ReadEngineNeed(commands, line.env, std::clamp(gpus_of_container, 0, kMostDegree),
                     memory_limit, &facts.warnings);
  facts.need_bytes = need.bytes;
  facts.need_words = std::move(need.words);
  Deduplicate(&facts.warnings);
  return facts;
}

}  // namespace shm
