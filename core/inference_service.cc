#include "core/inference_service.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

constexpr int kMost = 1024;

// Reads the members of one object and remembers the first thing that is wrong, with its field.
// A member that is null counts as absent, as Go's decoder sees it.
class Reader {
 public:
  Reader(const json& object, std::string path, std::optional<Error>* error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object_.is_null() && !object_.is_object()) Fail("", "must be an object");
  }

  const json* Find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  Reader Object(const char* key) {
    static const json kNothing;
    const json* found = Find(key);
    return {found ? *found : kNothing, Path(key), error_};
  }

  std::string Text(const char* key) {
    const json* found = Find(key);
    if (!found) return "";
    if (!found->is_string()) return Fail(key, "must be a string"), "";
    return found->get<std::string>();
  }

  std::optional<int> Count(const char* key) {
    const json* found = Find(key);
    if (!found) return std::nullopt;
    const bool fits = found->is_number_integer() && *found >= 1 && *found <= kMost;
    if (!fits) return Fail(key, found->dump() + " is not a whole number from 1 to 1024"), 1;
    return found->get<int>();
  }

  std::int64_t Number(const char* key) {
    const json* found = Find(key);
    if (!found) return 0;
    if (!found->is_number_integer()) return Fail(key, "must be a whole number"), 0;
    return found->get<std::int64_t>();
  }

  // A quantity of bytes, above 0; a plain number is one too.
  std::optional<std::int64_t> Bytes(const char* key) {
    const json* found = Find(key);
    if (!found) return std::nullopt;
    if (!found->is_string() && !found->is_number()) return Fail(key, "must be a quantity"), 0;
    const auto bytes =
        ParseQuantity(found->is_string() ? found->get<std::string>() : found->dump());
    if (!bytes.ok()) return Fail(key, bytes.error().message), 0;
    if (*bytes == 0) return Fail(key, "must be above 0"), 0;
    return *bytes;
  }

  template <typename T>
  std::optional<T> Choice(const char* key,
                          std::initializer_list<std::pair<std::string_view, T>> choices) {
    if (!Find(key)) return std::nullopt;
    const std::string text = Text(key);
    std::string known;
    for (const auto& [name, value] : choices) {
      if (text == name) return value;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    Fail(key, "\"" + text + "\" is none of " + known);
    return std::nullopt;
  }

  void Fail(const std::string& key, const std::string& message) {
    if (!*error_) *error_ = Error{key.empty() ? path_ : Path(key), message};
  }

 private:
  std::string Path(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  const json& object_;
  std::string path_;
  std::optional<Error>* error_;
};

using Operator = LabelSelector::Operator;

std::vector<std::string> ReadStrings(Reader& reader, const char* key) {
  std::vector<std::string> texts;
  const json* found = reader.Find(key);
  if (!found) return texts;
  if (!found->is_array()) {
    reader.Fail(key, "must be a list");
    return texts;
  }
  for (const json& entry : *found) {
    if (!entry.is_string()) {
      reader.Fail(key, "must be a list of strings");
      return texts;
    }
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

LabelSelector::Requirement ReadRequirement(const json& term, std::optional<Error>* error) {
  Reader reader(term, "spec.selector.matchExpressions", error);
  LabelSelector::Requirement requirement;
  requirement.key = reader.Text("key");
  if (requirement.key.empty()) reader.Fail("key", "is missing");
  requirement.op = reader
                       .Choice<Operator>("operator", {{"In", Operator::kIn},
                                                      {"NotIn", Operator::kNotIn},
                                                      {"Exists", Operator::kExists},
                                                      {"DoesNotExist", Operator::kDoesNotExist}})
                       .value_or(Operator::kExists);
  if (!reader.Find("operator")) reader.Fail("operator", "is missing");
  requirement.values = ReadStrings(reader, "values");
  return requirement;
}

LabelSelector ReadSelector(Reader reader, std::optional<Error>* error) {
  LabelSelector selector;
  if (const json* labels = reader.Find("matchLabels"); labels && labels->is_object()) {
    for (const auto& [key, value] : labels->items()) {
      if (!value.is_string()) reader.Fail("matchLabels", "must map strings to strings");
      if (value.is_string()) selector.match_labels.emplace(key, value.get<std::string>());
    }
  } else if (labels) {
    reader.Fail("matchLabels", "must be an object");
  }
  if (const json* terms = reader.Find("matchExpressions"); terms && terms->is_array()) {
    for (const json& term : *terms) {
      selector.match_expressions.push_back(ReadRequirement(term, error));
    }
  } else if (terms) {
    reader.Fail("matchExpressions", "must be a list");
  }
  return selector;
}

SharedMemorySpec ReadSharedMemory(Reader reader) {
  using Mode = SharedMemoryMode;
  using Policy = MemoryLimitPolicy;
  SharedMemorySpec spec;
  spec.mode =
      reader.Choice<Mode>("mode", {{"Memory", Mode::kMemory}, {"Disabled", Mode::kDisabled}})
          .value_or(Mode::kMemory);
  spec.size = reader.Bytes("size");
  spec.size_per_gpu = reader.Bytes("sizePerGPU");
  spec.communicators = reader.Count("communicators").value_or(spec.communicators);
  spec.mount_scope =
      reader
          .Choice<MountScope>("mountScope", {{"Pod", MountScope::kPod},
                                             {"GPUContainers", MountScope::kGpuContainers}})
          .value_or(MountScope::kPod);
  spec.memory_limit_policy = reader.Choice<Policy>(
      "memoryLimitPolicy",
      {{"Warn", Policy::kWarn}, {"Raise", Policy::kRaise}, {"Reject", Policy::kReject}});
  return spec;
}

void ReadMetadata(Reader reader, InferenceService* service) {
  service->name = reader.Text("name");
  if (service->name.empty()) reader.Fail("name", "is missing");
  service->namespace_name = reader.Text("namespace");
  service->uid = reader.Text("uid");
  service->resource_version = reader.Text("resourceVersion");
  service->creation_timestamp = reader.Text("creationTimestamp");
  service->generation = reader.Number("generation");
  service->deleting = reader.Find("deletionTimestamp") != nullptr;
}

void ReadSpec(Reader reader, std::optional<Error>* error, InferenceService* service) {
  service->degrees.tensor_parallel = reader.Count("tensorParallelSize");
  service->degrees.pipeline_parallel = reader.Count("pipelineParallelSize");
  service->degrees.data_parallel = reader.Count("dataParallelSize");
  service->node_count = reader.Count("nodeCount");
  service->gpu_count = reader.Count("gpuCount");
  if (std::string name = reader.Text("gpuResourceName"); !name.empty()) {
    service->gpu_resource_name = std::move(name);
  }
  service->container_name = reader.Text("containerName");
  service->shared_memory = ReadSharedMemory(reader.Object("sharedMemory"));
  service->repair = reader
                        .Choice<RepairPolicy>("repair", {{"Report", RepairPolicy::kReport},
                                                         {"Restart", RepairPolicy::kRestart}})
                        .value_or(RepairPolicy::kReport);
  if (reader.Find("selector")) service->selector = ReadSelector(reader.Object("selector"), error);
  service->has_template = reader.Find("template") != nullptr;
}

}  // namespace

Result<InferenceService> ParseInferenceService(const json& object) {
  std::optional<Error> error;
  InferenceService service;
  Reader reader(object, "", &error);
  ReadMetadata(reader.Object("metadata"), &service);
  ReadSpec(reader.Object("spec"), &error, &service);
  if (error) return *error;
  return service;
}

Result<std::optional<int>> GpusPerPod(const InferenceService& service) {
  const Degrees& degrees = service.degrees;
  const std::int64_t tp = degrees.tensor_parallel.value_or(1);
  const std::int64_t pp = degrees.pipeline_parallel.value_or(1);
  const std::int64_t dp = degrees.data_parallel.value_or(1);
  const std::int64_t nodes = service.node_count.value_or(1);
  const std::int64_t product = tp * pp * dp;  // at most 2^30
  const std::string shown = "TP " + std::to_string(tp) + " × PP " + std::to_string(pp) + " × DP " +
                            std::to_string(dp) + " = " + std::to_string(product);
  const bool any = degrees.tensor_parallel || degrees.pipeline_parallel || degrees.data_parallel;
  if (any && product % nodes != 0) {
    return Error{"spec.nodeCount",
                 shown + " GPUs do not divide by nodeCount " + std::to_string(nodes)};
  }
  if (service.gpu_count) {
    if (product > *service.gpu_count * nodes) {
      return Error{"spec.gpuCount", shown + " needs more than gpuCount " +
                                        std::to_string(*service.gpu_count) + " × nodeCount " +
                                        std::to_string(nodes)};
    }
    return service.gpu_count;
  }
  if (!any) return std::optional<int>();
  if (product / nodes > kMost) {
    return Error{"spec",
                 shown + " ÷ nodeCount " + std::to_string(nodes) + " is more than 1024 GPUs a pod"};
  }
  return std::optional<int>(static_cast<int>(product / nodes));
}

}  // namespace shm
