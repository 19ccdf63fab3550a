#include "core/pod_sizing.h"

#include <algorithm>
#include <utility>

#include "core/command_line.h"
#include "core/memory_plan.h"
#include "core/names.h"
#include "core/nccl.h"
#include "core/pod_gpus.h"
#include "core/quantity.h"

namespace shm {
namespace {

// What will stand before the container's own env: ours, where it does not set them itself. Ours are
// not put where an envFrom may set them. LeaderWorkerSet's webhook writes the size of the group
// into every container (kubernetes-sigs/lws pkg/utils/pod/pod_utils.go, AddLWSVariables); it may
// run after this one.
std::vector<EnvVar> EnvBefore(const PodSizing& sizing, const ContainerView& container) {
  std::vector<EnvVar> env;
  if (!container.has_env_from) env = EnvToAdd(sizing.numbers, sizing.rules.mode);
  if (sizing.lws_group_size) env.push_back({"LWS_GROUP_SIZE", *sizing.lws_group_size, false});
  return env;
}

EngineFacts ReadEngineOf(const PodSizing& sizing, const ContainerView& container, int gpus,
                         std::size_t* room) {
  const auto raised = sizing.before ? sizing.before->raised : std::nullopt;
  static const std::vector<EnvVar> kNone;
  return ReadEngine(container.command, container.args, container.env ? *container.env : kNone, gpus,
                    OriginalMemoryLimit(container, raised), container.image,
                    EnvBefore(sizing, container), room);
}

// What a container's command line said, taken for an engine of so many GPUs.
struct Reading {
  const ContainerView* container;
  int gpus;
  EngineFacts facts;
};

// What a container will most likely hold: its own GPUs, else those that the numbers known so far
// ask for. Only a guess, which saves a second reading where it holds.
int LikelyGpus(const PodSizing& sizing, std::size_t i) {
  const int own = sizing.gpus.gpus[i];
  return own > 0 || i > 0 ? own : sizing.numbers.WantedGpus().value_or(0);
}

// Source 4's second half: the engines' command lines.
std::vector<Reading> ReadCommandLines(PodSizing* sizing, std::size_t* room) {
  std::vector<Reading> readings;
  PodNumbers& numbers = sizing->numbers;
  for (std::size_t i = 0; i < sizing->gpus.containers.size(); ++i) {
    const ContainerView& container = *sizing->gpus.containers[i];
    const int gpus = LikelyGpus(*sizing, i);
    readings.push_back({&container, gpus, ReadEngineOf(*sizing, container, gpus, room)});
    const EngineFacts& facts = readings.back().facts;
    numbers.tensor_parallel.Offer(facts.degrees.tensor_parallel, Source::kCommandLine);
    numbers.pipeline_parallel.Offer(facts.degrees.pipeline_parallel, Source::kCommandLine);
    numbers.data_parallel.Offer(facts.degrees.data_parallel, Source::kCommandLine);
    numbers.context_parallel.Offer(facts.context_parallel, Source::kCommandLine);
    numbers.nodes.Offer(facts.nodes, Source::kCommandLine);
    sizing->degrees_unclear = sizing->degrees_unclear || !facts.complete;
    sizing->ray = std::max(sizing->ray, facts.ray);
  }
  return readings;
}

// A container that was given GPUs since is read again. Numbers that its command line itself told
// change nothing of what it is read with.
EngineFacts TakeReading(const PodSizing& sizing, const ContainerView& container, int gpus,
                        std::vector<Reading>* readings, std::size_t* room) {
  for (Reading& reading : *readings) {
    if (reading.container == &container && reading.gpus == gpus) return std::move(reading.facts);
  }
  return ReadEngineOf(sizing, container, gpus, room);
}

bool FromCommandLine(const PodNumbers& numbers) {
  return numbers.tensor_parallel.source == Source::kCommandLine ||
         numbers.pipeline_parallel.source == Source::kCommandLine ||
         numbers.data_parallel.source == Source::kCommandLine ||
         numbers.context_parallel.source == Source::kCommandLine;
}

std::string DegreesInWords(const PodNumbers& numbers) {
  const auto& context = numbers.context_parallel.value;
  return "TP " + std::to_string(numbers.tensor_parallel.value.value_or(1)) + " × PP " +
         std::to_string(numbers.pipeline_parallel.value.value_or(1)) + " × DP " +
         std::to_string(numbers.data_parallel.value.value_or(1)) +
         (context ? " × CP " + std::to_string(*context) : "") + " = " +
         std::to_string(numbers.Product().value_or(1));
}

void CheckParallelism(PodSizing* sizing) {
  const PodNumbers& numbers = sizing->numbers;
  const int gpus = sizing->total_gpus;
  if (gpus == 0) return;
  if (numbers.gpu_count.value && *numbers.gpu_count.value != gpus) {
    sizing->notes.push_back(
        {Reason::kParallelismMismatch,
         "the pod's containers ask for " + std::to_string(gpus) + " GPUs, gpuCount says " +
             std::to_string(*numbers.gpu_count.value) + "; the pod's own number is used"});
    return;
  }
  const auto product = numbers.Product();
  // Each of several engines in one pod has degrees of its own.
  if (!product || (FromCommandLine(numbers) && sizing->gpus.containers.size() > 1)) return;
  // A factor may be missing, or stand for GPUs of other pods.
  if (sizing->degrees_unclear && !numbers.AnyOurs()) return;
  if (!numbers.Divides()) {
    sizing->notes.push_back(
        {Reason::kNotDivisible, DegreesInWords(numbers) + " GPUs do not divide by " +
                                    std::to_string(numbers.nodes.value.value_or(1)) +
                                    " pods; rounded up"});
  }
  const std::int64_t nodes = numbers.nodes.value.value_or(1);
  const std::int64_t wanted = (*product + nodes - 1) / nodes;
  // Fewer than gpuCount are as they were asked for.
  const bool fewer_on_purpose = numbers.gpu_count.value && wanted < gpus;
  if (wanted == gpus || fewer_on_purpose) return;
  // Nothing on a pod says over how many Ray spreads its workers.
  const bool may_spread = wanted > gpus && !numbers.nodes.value && !numbers.AnyOurs();
  if (may_spread && sizing->ray == RayUse::kJoined) return;
  const bool unless = may_spread && sizing->ray == RayUse::kAsked;
  sizing->notes.push_back({Reason::kParallelismMismatch,
                           DegreesInWords(numbers) + " GPUs" +
                               (nodes > 1 ? " over " + std::to_string(nodes) + " pods" : "") +
                               " do not agree with the pod's " + std::to_string(gpus) +
                               (unless ? ", unless Ray joins other pods" : "") +
                               "; /dev/shm follows the pod's"});
}

ContainerNeed NeedOf(PodSizing* sizing, const ContainerView& container, int gpus,
                     EngineFacts engine) {
  for (const std::string& warning : engine.warnings) {
    sizing->notes.push_back(
        {Reason::kEngineUnclear, "container " + container.name + ": " + warning});
  }
  std::vector<std::string> warnings;
  const NcclSettings settings = ReadNcclSettings(engine.nccl_env, &warnings);
  for (const std::string& warning : warnings) {
    sizing->notes.push_back({Reason::kNcclSetting, "container " + container.name + ": " + warning});
  }
  if (container.has_env_from && gpus > 1) {
    sizing->notes.push_back({Reason::kEnvFrom, "container " + container.name +
                                                   ": what its envFrom sets of NCCL and the "
                                                   "engine cannot be told here"});
  }
  ContainerNeed need;
  need.engine_bytes = engine.need_bytes;
  need.engine_words = std::move(engine.need_words);
  const int communicators = sizing->rules.communicators;
  // Mode Disabled takes the env at its word: it is what was set to do without.
  need.nccl_bytes = sizing->rules.mode == SharedMemoryMode::kDisabled
                        ? PredictNcclBytes(settings, gpus, communicators)
                        : NcclProvisionBytes(settings, gpus, communicators);
  return need;
}

SizeInput InputOf(PodSizing* sizing, std::vector<Reading> readings, std::size_t* room) {
  SizeInput input;
  input.gpus = sizing->total_gpus;
  input.size_per_gpu = sizing->rules.size_per_gpu;
  input.communicators = sizing->rules.communicators;
  input.max_size = sizing->rules.max_size;
  input.explicit_size = sizing->numbers.size.value;
  input.explicit_source = sizing->numbers.size.source == Source::kAnnotation
                              ? std::string("annotation ") + names::kShmSizeAnnotation
                              : "sharedMemory.size";
  for (std::size_t i = 0; i < sizing->gpus.containers.size(); ++i) {
    const ContainerView& container = *sizing->gpus.containers[i];
    const int gpus = sizing->gpus.gpus[i];
    input.needs.push_back(
        NeedOf(sizing, container, gpus, TakeReading(*sizing, container, gpus, &readings, room)));
  }
  return input;
}

// A pod in which nothing speaks of GPUs is let alone without a look at its command lines.
bool MayHaveGpus(const PodView& pod, const ServiceMatch& match, const PodSizing& sizing) {
  return match.service || sizing.gpus.Total() > 0 || sizing.numbers.size.value ||
         sizing.numbers.AnyOurs() || !pod.resource_claims.empty() || UsesClaims(pod);
}

}  // namespace

std::vector<EnvVar> EnvToAdd(const PodNumbers& numbers, SharedMemoryMode mode) {
  std::vector<EnvVar> env;
  const auto add = [&env](const char* name, const Sourced<int>& number) {
    if (number.ours()) env.push_back({name, std::to_string(*number.value), false});
  };
  add(names::kTensorParallelSizeEnv, numbers.tensor_parallel);
  add(names::kPipelineParallelSizeEnv, numbers.pipeline_parallel);
  if (mode == SharedMemoryMode::kDisabled) {
    env.push_back({names::kNcclCumemEnv, "1", false});
    env.push_back({names::kNcclCumemHostEnv, "1", false});
  }
  return env;
}

PodSizing SizePod(const PodView& pod, const ServiceMatch& match,
                  const InstallationDefaults& installation, const NamespaceDefaults& name_space,
                  const ClaimTemplates* claim_templates) {
  const InferenceService* service = match.service;
  std::optional<ClaimGpus> claims;
  if (claim_templates) claims = CountClaims(pod, *claim_templates);
  PodSizing sizing;
  sizing.rules = MergeRules(installation, name_space, service);
  sizing.gpu_resource = service ? service->gpu_resource_name : names::kDefaultGpuResource;
  const std::string wanted_name = service ? service->container_name : "";
  sizing.gpus =
      FindGpuContainers(pod, sizing.gpu_resource, wanted_name, claims.value_or(ClaimGpus()));
  sizing.notes = match.notes;
  if (sizing.gpus.name_missing) {
    sizing.notes.push_back({Reason::kContainerNotFound,
                            "the pod has no container " + wanted_name + " as containerName says"});
  }
  if (service) {
    if (const auto per_pod = GpusPerPod(*service); !per_pod.ok()) {
      sizing.notes.push_back({Reason::kInvalidService, "InferenceService " + service->name + ": " +
                                                           per_pod.error().ToString()});
    }
  }
  if (const std::string* size = pod.Annotation(names::kLwsSizeAnnotation)) {
    sizing.lws_group_size = *size;
  } else if (pod.coming_nodes) {
    sizing.lws_group_size = std::to_string(*pod.coming_nodes);
  }
  if (const std::string* text = pod.Annotation(names::kInjectionAnnotation)) {
    sizing.before = ReadInjection(*text);
  }
  sizing.numbers = ReadNumbers(pod, match, sizing.gpus);
  sizing.notes.insert(sizing.notes.end(), sizing.numbers.notes.begin(), sizing.numbers.notes.end());
  if (!MayHaveGpus(pod, match, sizing)) return sizing;

  std::size_t room = kMaxReadBytes;  // of all its containers
  std::vector<Reading> readings = ReadCommandLines(&sizing, &room);
  GiveGpus(pod, match, claims ? &*claims : nullptr, &sizing);
  sizing.total_gpus = sizing.gpus.Total();
  CheckParallelism(&sizing);
  sizing.size = DecideSize(InputOf(&sizing, std::move(readings), &room));
  return sizing;
}

}  // namespace shm
