#include "core/engine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/engine_args.h"
#include "core/engine_degrees.h"
#include "core/engine_need.h"
#include "core/engine_programs.h"
#include "core/engine_values.h"
#include "core/nccl.h"

namespace shm {
namespace {

// Takes one command's degrees after another; where two of them differ neither counts.
class FactsMerger {
 public:
  explicit FactsMerger(EngineFacts* facts) : facts_(facts) {}

  void Merge(const EngineDegrees& one) {
    Take(0, "tensor parallel size", one.degrees.tensor_parallel, &facts_->degrees.tensor_parallel);
    Take(1, "pipeline parallel size", one.degrees.pipeline_parallel,
         &facts_->degrees.pipeline_parallel);
    Take(2, "data parallel size", one.degrees.data_parallel, &facts_->degrees.data_parallel);
    Take(3, "context parallel size", one.context_parallel, &facts_->context_parallel);
    Take(4, "number of nodes", one.nodes, &facts_->nodes);
    facts_->complete = facts_->complete && one.complete;
  }

 private:
  void Take(std::size_t which, const char* name, std::optional<int> value,
            std::optional<int>* into) {
    if (!value || conflict_[which]) return;
    if (*into && **into != *value) {
      facts_->warnings.push_back("two commands of the container give the " + std::string(name) +
                                 " as " + std::to_string(**into) + " and " +
                                 std::to_string(*value));
      conflict_[which] = true;
      facts_->complete = false;
      into->reset();
      return;
    }
    *into = value;
  }

  EngineFacts* facts_;
  std::array<bool, 5> conflict_{};
};

// Takes one reading of a script after another: what differs depends on a condition, and does not
// count. The larger need does.
class ReadingMerger {
 public:
  explicit ReadingMerger(EngineFacts* facts) : facts_(facts) {}

  void Merge(EngineFacts one) {
    const bool complete = facts_->complete && one.complete;
    const Degrees& degrees = one.degrees;
    Compare("tensor parallel size", degrees.tensor_parallel, &facts_->degrees.tensor_parallel);
    Compare("pipeline parallel size", degrees.pipeline_parallel,
            &facts_->degrees.pipeline_parallel);
    Compare("data parallel size", degrees.data_parallel, &facts_->degrees.data_parallel);
    Compare("context parallel size", one.context_parallel, &facts_->context_parallel);
    Compare("number of nodes", one.nodes, &facts_->nodes);
    if (ReadNcclSettings(one.nccl_env, nullptr) != ReadNcclSettings(facts_->nccl_env, nullptr)) {
      one.warnings.push_back("a condition in the container's script decides what NCCL is set to");
    }
    // Where a reading could not be told in full its own warnings say why.
    if (!differing_.empty() && complete) {
      one.warnings.push_back("a condition in the container's script decides the " + differing_);
    }
    differing_.clear();
    facts_->complete = facts_->complete && one.complete;
    facts_->ray = std::max(facts_->ray, one.ray);
    if (facts_->engine == Engine::kUnknown) facts_->engine = one.engine;
    if (one.need_bytes > facts_->need_bytes) {
      facts_->need_bytes = one.need_bytes;
      facts_->need_words = std::move(one.need_words);
    }
    facts_->warnings.insert(facts_->warnings.end(), one.warnings.begin(), one.warnings.end());
  }

 private:
  void Compare(const char* name, std::optional<int> value, std::optional<int>* into) {
    if (*into == value) return;
    differing_ += (differing_.empty() ? "" : ", the ") + std::string(name);
    into->reset();
    facts_->complete = false;
  }

  EngineFacts* facts_;
  std::string differing_;
};

// That are looked at: what starts more is none that serves.
constexpr std::size_t kMostCommands = 32;

bool IsFull(const std::vector<EngineCommand>& found, std::vector<std::string>* warnings) {
  if (found.size() < kMostCommands) return false;
  warnings->push_back("the container starts more than " + std::to_string(kMostCommands) +
                      " engines: the others are not looked at");
  return true;
}

std::vector<EngineCommand> FindCommands(const CommandLine& line, std::string_view image,
                                        std::vector<std::string>* warnings) {
  std::vector<EngineCommand> found;
  std::vector<const SimpleCommand*> others;
  bool serves = false;
  for (const SimpleCommand& command : line.commands) {
    if (IsFull(found, warnings)) break;
    std::optional<EngineCommand> engine = ReadEngineCommand(command, line.env, warnings);
    if (!engine) {
      if (!StartsNothing(command)) others.push_back(&command);
      continue;
    }
    serves = serves || engine->engine != Engine::kRay;
    found.push_back(std::move(*engine));
  }
  if (serves) return found;
  // Beside Ray the image's name says nothing: it may have been started for Ray alone.
  const Parser guess = found.empty() ? GuessParser(line.commands, image) : Parser::kAny;
  for (const SimpleCommand* command : others) {
    if (IsFull(found, warnings)) break;
    std::vector<std::string> own;
    EngineCommand engine = ReadCommandAs(guess, *command, line.env, &own);
    if (guess == Parser::kAny && engine.settings.empty()) continue;
    found.push_back(std::move(engine));
    warnings->insert(warnings->end(), own.begin(), own.end());
  }
  if (found.empty()) found.push_back(ReadCommandAs(guess, SimpleCommand(), line.env, warnings));
  return found;
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

// RAY_ADDRESS: ray-project/ray python/ray/_private/ray_constants.py
// (RAY_ADDRESS_ENVIRONMENT_VARIABLE).
RayUse FindRay(const std::vector<EngineCommand>& commands, const PodEnv& env) {
  RayUse use = RayUse::kNone;
  for (const EngineCommand& command : commands) {
    if (command.engine == Engine::kRay) return RayUse::kJoined;
    const auto executor = command.settings.find(Meaning::kExecutor);
    const bool asked = command.engine == Engine::kVllm && executor != command.settings.end() &&
                       executor->second.value == "ray";
    if (asked) use = env.Has("RAY_ADDRESS") ? RayUse::kJoined : RayUse::kAsked;
  }
  return use;
}

// NCCL_* of the script's own variables, of assignments before a command, and of words such as those
// of `env NAME=VALUE` and `mpirun -x NAME=VALUE`.
std::vector<EnvVar> ReadNcclEnv(const CommandLine& line) {
  constexpr std::string_view kPrefix = "NCCL_";
  constexpr std::size_t kMostBytes = 256;  // no value that means anything is longer
  std::vector<EnvVar> env = line.env.WithPrefix(kPrefix);
  const auto take = [&](const Word& word) {
    const std::size_t sign = word.text.find('=');
    if (sign == std::string::npos || !word.text.starts_with(kPrefix)) return;
    env.push_back(
        {word.text.substr(0, sign), word.known() ? word.text.substr(sign + 1) : "", !word.known()});
  };
  Launcher before;  // all commands of a script have the same one: its words count once
  for (const SimpleCommand& command : line.commands) {
    if (StartsNothing(command)) continue;
    for (const auto& [name, value] : command.assignments) {
      if (name.starts_with(kPrefix)) env.push_back({name, value.value_or(""), !value.has_value()});
    }
    if (command.launcher && command.launcher != before) {
      std::for_each(command.launcher->begin(), command.launcher->end(), take);
      before = command.launcher;
    }
    std::for_each(command.words.begin(), command.words.end(), take);
  }
  for (EnvVar& one : env) {
    if (one.value.size() > kMostBytes) one.value.resize(kMostBytes);
  }
  return env;
}

EngineFacts ReadFacts(CommandLine line, int gpus, std::optional<std::int64_t> memory_limit,
                      std::string_view image) {
  EngineFacts facts;
  facts.warnings = std::move(line.warnings);
  const std::vector<EngineCommand> commands = FindCommands(line, image, &facts.warnings);
  facts.ray = FindRay(commands, line.env);
  facts.nccl_env = ReadNcclEnv(line);

  std::vector<EngineDegrees> degrees;
  FactsMerger merger(&facts);
  for (const EngineCommand& found : commands) {
    degrees.push_back(ReadEngineDegrees(found, &facts.warnings));
    merger.Merge(degrees.back());
    // The engine that serves names the container; Ray only where nothing else does.
    if (facts.engine == Engine::kUnknown || facts.engine == Engine::kRay) {
      if (found.engine != Engine::kUnknown) facts.engine = found.engine;
    }
  }
  EngineNeed need =
      ReadEngineNeed(commands, degrees, line.env, gpus, memory_limit, &facts.warnings);
  facts.need_bytes = need.bytes;
  facts.need_words = std::move(need.words);
  return facts;
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
                       std::string_view image, const std::vector<EnvVar>& env_before,
                       std::size_t* room) {
  PodEnv pod_env(env_before, env);
  for (const PodVariable& variable : kPodVariables) {
    const std::string name(variable.name);
    if (!pod_env.Has(name)) pod_env.Set(name, std::string());
  }
  const int gpus = std::clamp(gpus_of_container, 0, kMostDegree);
  std::size_t readings = 1;
  std::size_t all = kMaxReadBytes;
  if (room == nullptr) room = &all;
  const auto read = [&](std::size_t reading) {
    CommandLine line = ReadCommandLine(command, args, pod_env, reading, room);
    readings = std::max(readings, line.readings);
    return ReadFacts(std::move(line), gpus, memory_limit, image);
  };
  EngineFacts facts = read(0);
  ReadingMerger merger(&facts);
  for (std::size_t reading = 1; reading < readings; ++reading) merger.Merge(read(reading));
  Deduplicate(&facts.warnings);
  return facts;
}

}  // namespace shm
