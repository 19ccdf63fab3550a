#include "core/engine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/engine_args.h"

namespace shm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kMostGib = 1 << 20;  // a PiB: more is a slip of the pen
constexpr int kMostDegree = 1024;

std::string Trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// A whole decimal number; a plus before it is allowed as Python's int() allows it.
std::optional<std::int64_t> WholeNumber(const std::string& text) {
  std::string digits = Trimmed(text);
  if (digits.size() > 1 && digits.front() == '+' && digits[1] != '-') digits.erase(0, 1);
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::string Bytes(std::int64_t bytes) {
  if (bytes > 0 && bytes % kGiB == 0) return std::to_string(bytes / kGiB) + " GiB";
  if (bytes > 0 && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + " MiB";
  return std::to_string(bytes) + " bytes";
}

// Turns settings into facts; whatever cannot be used becomes a warning.
class FactReader {
 public:
  FactReader(const EngineCommand& command, std::vector<std::string>* warnings)
      : settings_(command.settings), warnings_(warnings) {}

  bool Has(Meaning meaning) const { return settings_.count(meaning) > 0; }

  // The value; empty where the flag is not given or could not be read.
  std::string Text(Meaning meaning) const {
    const auto found = settings_.find(meaning);
    return found == settings_.end() ? std::string() : found->second.value.value_or("");
  }

  std::optional<int> Degree(Meaning meaning) {
    const Setting* setting = Given(meaning);
    if (setting == nullptr) return std::nullopt;
    const std::optional<std::int64_t> number = WholeNumber(*setting->value);
    if (number && *number >= 1 && *number <= kMostDegree) return static_cast<int>(*number);
    Refuse(*setting, "a whole number from 1 to 1024");
    return std::nullopt;
  }

  std::optional<std::int64_t> WholeBytes(Meaning meaning) {
    const Setting* setting = Given(meaning);
    if (setting == nullptr) return std::nullopt;
    const std::optional<std::int64_t> number = WholeNumber(*setting->value);
    if (number && *number >= 0) return number;
    Refuse(*setting, "a number of bytes");
    return std::nullopt;
  }

  std::optional<std::int64_t> Gib(Meaning meaning) {
    const Setting* setting = Given(meaning);
    if (setting == nullptr) return std::nullopt;
    const std::string text = Trimmed(*setting->value);
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool whole = !text.empty() && error == std::errc() && stop == end;
    if (whole && number >= 0 && number <= static_cast<double>(kMostGib)) {
      return static_cast<std::int64_t>(std::ceil(number * static_cast<double>(kGiB)));
    }
    Refuse(*setting, "a number of GiB");
    return std::nullopt;
  }

 private:
  const Setting* Given(Meaning meaning) const {
    const auto found = settings_.find(meaning);
    return found == settings_.end() || !found->second.value ? nullptr : &found->second;
  }

  void Refuse(const Setting& setting, const std::string& accepted) {
    constexpr std::size_t kShownBytes = 40;
    warnings_->push_back(setting.spelling + "=" + setting.value->substr(0, kShownBytes) +
                         " is not " + accepted);
  }

  const std::map<Meaning, Setting>& settings_;
  std::vector<std::string>* warnings_;
};

// TP, PP and DP of one command.
Degrees ReadDegrees(const EngineCommand& command, FactReader& reader) {
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

// What one engine takes, with its arithmetic.
struct Need {
  std::int64_t bytes = 0;
  std::string words;

  void Add(std::int64_t more, const std::string& how) {
    if (__builtin_add_overflow(bytes, more, &bytes)) {
      bytes = std::numeric_limits<std::int64_t>::max();
    }
    words += (words.empty() ? "" : " + ") + how;
  }
};

class NeedReader {
 public:
  NeedReader(const PodEnv& env, int gpus, std::optional<std::int64_t> limit, EngineFacts* facts)
      : env_(env), gpus_(gpus), limit_(limit), facts_(facts) {}

  void Read(const EngineCommand& command, bool starts_ray) {
    FactReader reader(command, &facts_->warnings);
    switch (command.engine) {
      case Engine::kVllm:
        ReadVllm(reader);
        if (!starts_ray && reader.Text(Meaning::kExecutor) == "ray") ReadRay(reader);
        break;
      case Engine::kRay:
        ReadRay(reader);
        break;
      case Engine::kLmdeploy:
        if (reader.Text(Meaning::kExecutor) == "mp" && gpus_ > 1) {
          Take("LMDeploy", (gpus_ + 1) * kLmdeployBufferBytes,
               "32 MiB × (" + std::to_string(gpus_) + " workers + 1)");
        }
        break;
      case Engine::kSglang:
      case Engine::kTensorRtLlm:
      case Engine::kTgi:
      case Engine::kUnknown:
        break;
    }
  }

  const Need& need() const { return need_; }

 private:
  void Take(const std::string& engine, std::int64_t bytes, const std::string& how) {
    if (bytes == 0) return;
    need_.Add(bytes, last_ == engine ? how : engine + " " + how);
    last_ = engine;
  }

  void ReadVllm(FactReader& reader) {
    if (gpus_ > 1) {
      const std::int64_t ring = RingMib();
      Take("vLLM", ring * kMiB, std::to_string(ring) + " MiB");
      Take("vLLM", std::int64_t{kVllmWorkerMib} * gpus_ * kMiB,
           std::to_string(kVllmWorkerMib) + " MiB × " + std::to_string(gpus_) + " workers");
    }
    if (reader.Text(Meaning::kProcessorCacheType) == "shm") {
      const std::int64_t cache =
          reader.Gib(Meaning::kProcessorCacheGib).value_or(kVllmProcessorCacheGib * kGiB);
      Take("vLLM", cache, Bytes(cache) + " multi-modal cache");
    }
    const std::int64_t offload = reader.Gib(Meaning::kKvOffloadGib).value_or(0);
    Take("vLLM", offload, Bytes(offload) + " KV offload");
  }

  std::int64_t RingMib() {
    const std::string name(kVllmRingVariable);
    std::int64_t chunk = kVllmRingChunkMib;
    if (env_.Has(name)) {
      const std::optional<std::int64_t> given = WholeNumber(env_.Value(name).value_or(""));
      if (given && *given >= 1 && *given <= kMostGib) {
        chunk = *given;
      } else {
        facts_->warnings.push_back(name + " is not a number of MiB that can be told: " +
                                   std::to_string(chunk) + " is assumed");
      }
    }
    return kVllmRingChunks * chunk;
  }

  void ReadRay(FactReader& reader) {
    if (reader.Has(Meaning::kObjectStoreBytes)) {
      const std::int64_t bytes = reader.WholeBytes(Meaning::kObjectStoreBytes).value_or(0);
      Take("Ray", bytes, Bytes(bytes) + " object store");
    } else if (limit_ && *limit_ > 0) {
      const std::int64_t share =
          *limit_ / 100 * kRayStorePercent + *limit_ % 100 * kRayStorePercent / 100;
      Take("Ray", std::min(share, kRayStoreMost),
           share > kRayStoreMost ? "200 GB object store"
                                 : "object store 0.3 × " + Bytes(*limit_) + " memory limit");
    } else {
      facts_->warnings.push_back(
          "Ray's object store takes 0.3 of the node's memory: without a memory limit or "
          "--object-store-memory that cannot be told");
    }
  }

  const PodEnv& env_;
  int gpus_;
  std::optional<std::int64_t> limit_;
  EngineFacts* facts_;
  Need need_;
  std::string last_;
};

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

  const bool starts_ray = std::any_of(commands.begin(), commands.end(), [](const auto& found) {
    return found.engine == Engine::kRay;
  });
  NeedReader need(line.env, std::clamp(gpus_of_container, 0, kMostDegree), memory_limit, &facts);
  DegreeMerger tensor("tensor parallel size");
  DegreeMerger pipeline("pipeline parallel size");
  DegreeMerger data("data parallel size");
  std::vector<Engine> counted;
  for (const EngineCommand& found : commands) {
    FactReader reader(found, &facts.warnings);
    const Degrees degrees = ReadDegrees(found, reader);
    WarnOfFile(found, degrees, &facts.warnings);
    tensor.Merge(degrees.tensor_parallel, &facts.degrees.tensor_parallel, &facts.warnings);
    pipeline.Merge(degrees.pipeline_parallel, &facts.degrees.pipeline_parallel, &facts.warnings);
    data.Merge(degrees.data_parallel, &facts.degrees.data_parallel, &facts.warnings);
    // The engine that serves names the container; Ray only where nothing else does.
    if (facts.engine == Engine::kUnknown || facts.engine == Engine::kRay) {
      if (found.engine != Engine::kUnknown) facts.engine = found.engine;
    }
    if (std::find(counted.begin(), counted.end(), found.engine) != counted.end()) continue;
    counted.push_back(found.engine);
    need.Read(found, starts_ray);
  }
  facts.need_bytes = need.need().bytes;
  facts.need_words = need.need().words;
  Deduplicate(&facts.warnings);
  return facts;
}

}  // namespace shm
