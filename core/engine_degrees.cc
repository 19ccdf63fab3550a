#include "core/engine_degrees.h"

#include <algorithm>
#include <cstdint>

#include "core/engine_values.h"

namespace shm {
namespace {

class DegreeReader {
 public:
  DegreeReader(const EngineCommand& command, std::vector<std::string>* warnings)
      : command_(command), reader_(command, warnings), warnings_(warnings) {}

  EngineDegrees Read() {
    Degrees& degrees = result_.degrees;
    degrees.tensor_parallel = Factor(Meaning::kTensorParallel);
    degrees.pipeline_parallel = Factor(Meaning::kPipelineParallel);
    result_.context_parallel = Factor(Meaning::kContextParallel);
    result_.nodes = Factor(Meaning::kNodes);
    degrees.data_parallel = Factor(Meaning::kDataParallel);
    switch (command_.engine) {
      case Engine::kVllm:
        ReadVllm();
        break;
      case Engine::kSglang:
        if (reader_.Has(Meaning::kDataParallelInside)) degrees.data_parallel.reset();
        break;
      case Engine::kTensorRtLlm:
        ReadTensorRtLlm();
        break;
      case Engine::kLmdeploy:
        ReadLmdeploy();
        break;
      case Engine::kTgi:
        if (!degrees.tensor_parallel && reader_.Text(Meaning::kSharded) == "false") {
          degrees.tensor_parallel = 1;
        }
        break;
      case Engine::kRay:
      case Engine::kUnknown:
        break;
    }
    WarnOfFile();
    result_.complete = result_.complete && !command_.unread && !failed_;
    return result_;
  }

 private:
  std::optional<int> Factor(Meaning meaning) {
    const std::optional<int> value = reader_.Degree(meaning);
    failed_ = failed_ || (reader_.Has(meaning) && !value);
    return value;
  }

  std::int64_t Product() const {
    const Degrees& degrees = result_.degrees;
    return std::int64_t{1} * degrees.tensor_parallel.value_or(1) *
           degrees.pipeline_parallel.value_or(1) * result_.context_parallel.value_or(1);
  }

  // vllm/engine/arg_utils.py and vllm/config/parallel.py: with --nnodes the whole world is divided
  // by it. Without, --data-parallel-size-local ranks run here, or one where a rank is
  // named: the others have pods of their own.
  void ReadVllm() {
    std::optional<int>& data = result_.degrees.data_parallel;
    const bool one_rank = reader_.Has(Meaning::kDataParallelRank);
    if (result_.nodes.value_or(1) > 1) {
      // Ranks that are named outnumber the nodes: how many share one cannot be told.
      if (one_rank && *result_.nodes % data.value_or(1) != 0) result_.complete = false;
      result_.local_ranks = std::max(1, data.value_or(1) / *result_.nodes);
      return;
    }
    if (one_rank) {
      result_.nodes = data;
      return;
    }
    // Ranks placed by Ray may be in any pod.
    if (reader_.Text(Meaning::kDataParallelBackend) == "ray") result_.complete = false;
    result_.local_ranks = data.value_or(1);
    if (reader_.Has(Meaning::kDataParallelLocal)) SpreadRanks();
  }

  void SpreadRanks() {
    std::optional<int>& data = result_.degrees.data_parallel;
    // A head that serves alone: its GPUs, if any, are for none of the ranks.
    if (reader_.Text(Meaning::kDataParallelLocal) == "0") {
      result_.degrees = Degrees();
      return;
    }
    const std::optional<int> local = Factor(Meaning::kDataParallelLocal);
    if (!local || !data) return;
    result_.local_ranks = *local;
    if (*local > *data || *data % *local != 0) {
      result_.complete = false;
    } else if (*local < *data) {
      result_.nodes = *data / *local;
    }
  }

  void ReadTensorRtLlm() {
    Degrees& degrees = result_.degrees;
    if (!reader_.Has(Meaning::kTensorParallel)) {
      const std::optional<int> ranks = reader_.Degree(Meaning::kRanks);
      if (ranks && *ranks % Product() == 0) {
        degrees.tensor_parallel = static_cast<int>(*ranks / Product());
      }
      failed_ = failed_ || (reader_.Has(Meaning::kRanks) && !ranks);
    }
    const std::optional<int> here = Factor(Meaning::kGpusPerNode);
    if (!here || Product() <= *here || Product() % *here != 0) return;
    const std::int64_t nodes = Product() / *here;
    if (nodes <= kMostDegree) result_.nodes = static_cast<int>(nodes);
  }

  // lmdeploy/pytorch/config.py (DistConfig): the PyTorch backend runs one process for each of
  // max(dp, tp, ep); dp divides them. TurboMind's count depends on the GPUs that it finds
  // (lmdeploy/turbomind/parallel_config.py), and which of the two runs on the model.
  void ReadLmdeploy() {
    Degrees& degrees = result_.degrees;
    const int data = degrees.data_parallel.value_or(1);
    const int expert = Factor(Meaning::kExpertParallel).value_or(1);
    if (data == 1 && expert == 1) return;
    const int world = std::max({data, expert, degrees.tensor_parallel.value_or(1)});
    degrees.data_parallel.reset();
    if (reader_.Text(Meaning::kBackend) != "pytorch" || world % data != 0) {
      result_.complete = false;
      return;
    }
    degrees.tensor_parallel = world / data;
    if (data > 1) degrees.data_parallel = data;
  }

  // A file of settings is read by the engine alone.
  void WarnOfFile() {
    const bool text = reader_.Text(Meaning::kConfigText).find("parallel_size") != std::string::npos;
    const Meaning meaning = text ? Meaning::kConfigText : Meaning::kConfigFile;
    const auto file = command_.settings.find(meaning);
    if (file == command_.settings.end() || (!text && result_.degrees.tensor_parallel)) return;
    result_.complete = false;
    warnings_->push_back("what " + std::string(text ? "" : "the file of ") + file->second.spelling +
                         " sets, the tensor parallel size for one, " +
                         (text ? "is not read" : "cannot be told from the pod"));
  }

  const EngineCommand& command_;
  SettingReader reader_;
  std::vector<std::string>* warnings_;
  EngineDegrees result_;
  bool failed_ = false;
};

}  // namespace

EngineDegrees ReadEngineDegrees(const EngineCommand& command, std::vector<std::string>* warnings) {
  return DegreeReader(command, warnings).Read();
}

}  // namespace shm
