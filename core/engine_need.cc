#include "core/engine_need.h"

#include <algorithm>
#include <limits>

#include "core/engine_values.h"

namespace shm {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

std::string Bytes(std::int64_t bytes) {
  if (bytes > 0 && bytes % kGiB == 0) return std::to_string(bytes / kGiB) + " GiB";
  if (bytes > 0 && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + " MiB";
  return std::to_string(bytes) + " bytes";
}

class NeedReader {
 public:
  NeedReader(const PodEnv& env, int gpus, std::optional<std::int64_t> limit,
             std::vector<std::string>* warnings)
      : env_(env), gpus_(gpus), limit_(limit), warnings_(warnings) {}

  void Read(const EngineCommand& command, bool starts_ray) {
    SettingReader reader(command, warnings_);
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

  const EngineNeed& need() const { return need_; }

 private:
  void Take(const std::string& engine, std::int64_t bytes, const std::string& how) {
    if (bytes == 0) return;
    if (__builtin_add_overflow(need_.bytes, bytes, &need_.bytes)) {
      need_.bytes = std::numeric_limits<std::int64_t>::max();
    }
    need_.words += need_.words.empty() ? "" : " + ";
    need_.words += last_ == engine ? how : engine + " " + how;
    last_ = engine;
  }

  void ReadVllm(SettingReader& reader) {
    if (gpus_ > 1) {
      const std::int64_t ring = RingMib();
      Take("vLLM", ring * kMiB, std::to_string(ring) + " MiB");
      Take("vLLM", std::int64_t{kVllmWorkerMib} * gpus_ * kMiB,
           std::to_string(kVllmWorkerMib) + " MiB × " + std::to_string(gpus_) + " workers");
    }
    if (reader.Text(Meaning::kProcessorCacheType) == "shm") {
      const std::int64_t cache =
          reader.GibInBytes(Meaning::kProcessorCacheGib).value_or(kVllmProcessorCacheGib * kGiB);
      Take("vLLM", cache, Bytes(cache) + " multi-modal cache");
    }
    const std::int64_t offload = reader.GibInBytes(Meaning::kKvOffloadGib).value_or(0);
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
        warnings_->push_back(name + " is not a number of MiB that can be told: " +
                             std::to_string(chunk) + " is assumed");
      }
    }
    return kVllmRingChunks * chunk;
  }

  void ReadRay(SettingReader& reader) {
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
      warnings_->push_back(
          "Ray's object store takes 0.3 of the node's memory: without a memory limit or "
          "--object-store-memory that cannot be told");
    }
  }

  const PodEnv& env_;
  int gpus_;
  std::optional<std::int64_t> limit_;
  std::vector<std::string>* warnings_;
  EngineNeed need_;
  std::string last_;
};

}  // namespace

EngineNeed ReadEngineNeed(const std::vector<EngineCommand>& commands, const PodEnv& env, int gpus,
                          std::optional<std::int64_t> memory_limit,
                          std::vector<std::string>* warnings) {
  const bool starts_ray = std::any_of(commands.begin(), commands.end(), [](const auto& command) {
    return command.engine == Engine::kRay;
  });
  NeedReader reader(env, gpus, memory_limit, warnings);
  std::vector<Engine> counted;
  for (const EngineCommand& command : commands) {
    if (std::find(counted.begin(), counted.end(), command.engine) != counted.end()) continue;
    counted.push_back(command.engine);
    reader.Read(command, starts_ray);
  }
  return reader.need();
}

}  // namespace shm
