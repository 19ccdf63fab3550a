#include "core/engine_need.h"

#include <algorithm>
#include <sstream>

#include "core/engine_figures.h"
#include "core/engine_offload.h"
#include "core/engine_values.h"
#include "core/quantity.h"

namespace shm {
namespace {

std::string Bytes(std::int64_t bytes) {
  if (bytes > 0 && bytes % kGibibyte == 0) return std::to_string(bytes / kGibibyte) + " GiB";
  if (bytes > 0 && bytes % kMebibyte == 0) return std::to_string(bytes / kMebibyte) + " MiB";
  return std::to_string(bytes) + " bytes";
}

class NeedReader {
 public:
  NeedReader(const PodEnv& env, int gpus, std::optional<std::int64_t> limit,
             std::vector<std::string>* warnings)
      : env_(env), gpus_(gpus), limit_(limit), warnings_(warnings) {}

  void Read(const EngineCommand& command, const EngineDegrees& degrees, bool starts_ray) {
    SettingReader reader(command, warnings_);
    switch (command.engine) {
      case Engine::kVllm:
        ReadVllm(reader, degrees);
        if (!starts_ray && reader.Text(Meaning::kExecutor) == "ray") ReadRay(reader);
        break;
      case Engine::kRay:
        ReadRay(reader);
        break;
      case Engine::kLmdeploy:
        ReadLmdeploy(reader);
        break;
      case Engine::kSglang:
      case Engine::kTensorRtLlm:
      case Engine::kTgi:
      case Engine::kUnknown:
        break;
    }
  }

  const EngineNeed& need() const { return need_; }

 private:
  void Take(const std::string& engine, std::int64_t bytes, const std::string& how) {
    if (bytes == 0) return;
    need_.bytes = AddSaturating(need_.bytes, bytes);
    need_.words += need_.words.empty() ? "" : " + ";
    need_.words += last_ == engine ? how : engine + " " + how;
    last_ = engine;
  }

  void ReadVllm(SettingReader& reader, const EngineDegrees& degrees) {
    // Each data parallel rank is an engine of its own.
    const int local = degrees.local_ranks;
    const int ranks = local <= gpus_ && gpus_ % local == 0 ? local : 1;
    const std::string times = ranks > 1 ? " × " + std::to_string(ranks) + " ranks" : "";
    if (StartsWorkers(reader.Text(Meaning::kExecutor), degrees, gpus_ / ranks)) {
      const std::int64_t ring = RingMib();
      Take("vLLM", ring * ranks * kMebibyte, std::to_string(ring) + " MiB" + times);
      Take("vLLM", std::int64_t{kVllmWorkerMib} * gpus_ * kMebibyte,
           std::to_string(kVllmWorkerMib) + " MiB × " + std::to_string(gpus_) +
               (gpus_ > 1 ? " workers" : " worker"));
      if (reader.Has(Meaning::kTensorArena)) {
        Take("vLLM", kVllmArenaMib * ranks * kMebibyte,
             Bytes(kVllmArenaMib * kMebibyte) + " arena" + times);
      }
    }
    // Processes that do not talk to one engine alone keep it in memory of their own.
    const bool one_engine =
        degrees.degrees.data_parallel.value_or(1) == 1 || reader.Has(Meaning::kDataParallelRank);
    if (reader.Text(Meaning::kProcessorCacheType) == "shm" && one_engine) {
      const std::int64_t cache = reader.GibInBytes(Meaning::kProcessorCacheGib)
                                     .value_or(kVllmProcessorCacheGib * kGibibyte);
      Take("vLLM", cache, Bytes(cache) + " multi-modal cache");
    }
    const std::int64_t offload = OffloadBytes(reader);
    if (offload > 0) {
      Take("vLLM", offload * ranks, Bytes(offload) + " KV offload" + times);
      if (need_.bytes == offload * ranks) {
        Take("vLLM", kVllmBesideOffloadMib * kMebibyte, Bytes(kVllmBesideOffloadMib * kMebibyte));
      }
    }
  }

  // The flag for the size wins over the transfer config (vllm/config/vllm.py). LMCache's server has
  // its own.
  std::int64_t OffloadBytes(SettingReader& reader) {
    if (reader.Has(Meaning::kKvOffloadGib)) {
      if (reader.Text(Meaning::kKvOffloadBackend) == "lmcache") return 0;
      return reader.GibInBytes(Meaning::kKvOffloadGib).value_or(0);
    }
    const std::string text = reader.Text(Meaning::kKvTransferConfig);
    const OffloadConfig config = text.empty() ? OffloadConfig() : ReadOffloadConfig(text);
    if (config.unclear) {
      warnings_->push_back(
          "what --kv-transfer-config offloads to /dev/shm (cpu_bytes_to_use) cannot be told");
    }
    return config.bytes;
  }

  // vllm/config/parallel.py: "mp" unless one worker is the whole world; that runs in the engine.
  static bool StartsWorkers(const std::string& executor, const EngineDegrees& degrees, int gpus) {
    if (gpus == 0 || executor == "uni" || executor == "external_launcher") return false;
    const std::int64_t world = std::int64_t{1} * degrees.degrees.tensor_parallel.value_or(1) *
                               degrees.degrees.pipeline_parallel.value_or(1);
    const bool spreads = degrees.nodes.value_or(1) > 1 && world > gpus;
    return gpus > 1 || executor == "mp" || spreads;
  }

  // lmdeploy/pytorch/engine/executor/__init__.py: Ray, unless told otherwise. Its store is sized by
  // the node's memory, not by the container's (lmdeploy/pytorch/ray.py).
  void ReadLmdeploy(SettingReader& reader) {
    if (gpus_ <= 1) return;
    std::string executor = reader.Text(Meaning::kExecutor);
    if (executor.empty()) executor = env_.Value("LMDEPLOY_EXECUTOR_BACKEND").value_or("");
    if (executor == "mp") {
      Take("LMDeploy", (gpus_ + 1) * kLmdeployBufferBytes,
           "32 MiB × (" + std::to_string(gpus_) + " workers + 1)");
    } else if (executor == "ray" ||
               (executor.empty() && reader.Text(Meaning::kBackend) == "pytorch")) {
      const auto most = WholeNumber(env_.Value(kRayMostVariable).value_or(""));
      if (most && *most >= 0) {
        Take("Ray", *most, "object store of at most " + Bytes(*most));
      } else {
        warnings_->push_back(
            "LMDeploy's Ray takes 0.3 of the node's memory for its object store, which cannot be "
            "told; " +
            std::string(kRayMostVariable) + " bounds it");
      }
    }
  }

  std::int64_t RingMib() {
    const std::string name(kVllmRingVariable);
    std::int64_t chunk = kVllmRingChunkMib;
    if (env_.Has(name)) {
      const std::optional<std::int64_t> given = WholeNumber(env_.Value(name).value_or(""));
      if (given && *given >= 1 && *given <= kMostGib) {
        chunk = *given;
      } else {
        warnings_->push_back(name + " is not a number of MiB that can be told: " +
                             std::to_string(chunk) + " is assumed");
      }
    }
    return kVllmRingChunks * chunk;
  }

  void ReadRay(SettingReader& reader) {
    const std::string directory = reader.Text(Meaning::kObjectStoreDirectory);
    if (!directory.empty() && directory.rfind("/dev/shm", 0) != 0) return;
    if (reader.Has(Meaning::kObjectStoreBytes)) {
      const std::int64_t bytes = reader.WholeBytes(Meaning::kObjectStoreBytes).value_or(0);
      Take("Ray", bytes, Bytes(bytes) + " object store");
    } else {
      TakeDefaultStore();
    }
  }

  // Without a limit it goes by the node's memory, of which 0.3 is more than the most anywhere.
  void TakeDefaultStore() {
    const double share = RayNumber(kRayShareVariable, kRayStoreShare, 1);
    const double most = std::min(RayNumber(kRayMostVariable, kRayStoreMost, 1e18),
                                 static_cast<double>(kRayStoreMost));
    const bool limited = limit_ && *limit_ > 0;
    const double of_limit = limited ? static_cast<double>(*limit_) * share : most;
    if (limited && of_limit <= most) {
      Take("Ray", static_cast<std::int64_t>(of_limit),
           "object store " + Shown(share) + " × " + Bytes(*limit_) + " memory limit");
    } else {
      const auto bytes = static_cast<std::int64_t>(most);
      Take("Ray", bytes, Decimal(bytes) + " object store");
    }
  }

  double RayNumber(std::string_view variable, double otherwise, double most) {
    if (!env_.Has(variable)) return otherwise;
    const std::optional<double> given = DecimalNumber(env_.Value(variable).value_or(""));
    if (given && *given >= 0 && *given <= most) return *given;
    warnings_->push_back(std::string(variable) +
                         " is not a number that can be told: " + Shown(otherwise) + " is assumed");
    return otherwise;
  }

  static std::string Decimal(std::int64_t bytes) {
    constexpr std::int64_t kGb = 1'000'000'000;
    return bytes % kGb == 0 ? std::to_string(bytes / kGb) + " GB" : Bytes(bytes);
  }

  // "0.3"
  static std::string Shown(double number) {
    std::ostringstream text;
    text << number;
    return text.str();
  }

  const PodEnv& env_;
  int gpus_;
  std::optional<std::int64_t> limit_;
  std::vector<std::string>* warnings_;
  EngineNeed need_;
  std::string last_;
};

}  // namespace

EngineNeed ReadEngineNeed(const std::vector<EngineCommand>& commands,
                          const std::vector<EngineDegrees>& degrees, const PodEnv& env, int gpus,
                          std::optional<std::int64_t> memory_limit,
                          std::vector<std::string>* warnings) {
  const bool starts_ray = std::any_of(commands.begin(), commands.end(), [](const auto& command) {
    return command.engine == Engine::kRay;
  });
  NeedReader reader(env, gpus, memory_limit, warnings);
  std::vector<Engine> counted;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const EngineCommand& command = commands[i];
    if (std::find(counted.begin(), counted.end(), command.engine) != counted.end()) continue;
    counted.push_back(command.engine);
    reader.Read(command, degrees[i], starts_ray);
  }
  return reader.need();
}

}  // namespace shm
