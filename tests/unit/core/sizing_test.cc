#include "core/sizing.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/mutation.h"
#include "core/quantity.h"
#include "core/service_sizing.h"

namespace shm {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

SizeInput Gpus(int gpus, std::int64_t size_per_gpu = kGibibyte) {
  SizeInput input;
  input.gpus = gpus;
  input.size_per_gpu = size_per_gpu;
  input.explicit_source = "sharedMemory.size";
  return input;
}

std::vector<std::string> Names(const Notes& notes) {
  std::vector<std::string> names;
  for (const Note& note : notes) names.emplace_back(ReasonName(note.reason));
  return names;
}

// A pod with one container that asks for GPUs and has this env.
PodView Engine(int gpus, const std::vector<EnvVar>& env) {
  PodView pod;
  pod.containers.emplace_back();
  pod.containers[0].name = "engine";
  pod.containers[0].env = env;
  pod.containers[0].resources.present = true;
  pod.containers[0].resources.limits = ResourceList{{"nvidia.com/gpu", std::to_string(gpus)}};
  pod.containers[0].resources.requests = pod.containers[0].resources.limits;
  return pod;
}

}  // namespace

TEST_CASE("a size is the larger of GPUs and need, in whole MiB, unless one is given") {
  struct Case {
    const char* name;
    SizeInput input;
    std::int64_t size;
    std::vector<std::string> notes;
    const char* words;
  };
  const auto with = [](SizeInput input, auto change) {
    change(input);
    return input;
  };
  const ContainerNeed engine{640 * kMebibyte, "vLLM 640 MiB", 516 * kMebibyte - 1000};
  const Case cases[] = {
      {"one GPU", Gpus(1), kGibibyte, {}, "1Gi × 1 GPU = 1Gi"},
      {"two GPUs", Gpus(2), 2 * kGibibyte, {}, "1Gi × 2 GPUs = 2Gi"},
      {"nothing at all", Gpus(0), 0, {}, "1Gi × 0 GPUs = 0"},
      {"need below",
       with(Gpus(2), [&](auto& i) { i.needs = {engine}; }),
       2 * kGibibyte,
       {},
       "max(1Gi × 2 GPUs, need 1156Mi = vLLM 640 MiB + NCCL 516Mi for 4 communicators) = 2Gi"},
      {"need above, rounded up",
       with(Gpus(2, kMebibyte), [&](auto& i) { i.needs = {engine}; }),
       1156 * kMebibyte,
       {},
       "max(1Mi × 2 GPUs, need 1156Mi = vLLM 640 MiB + NCCL 516Mi for 4 communicators) = 1156Mi"},
      {"two containers",
       with(Gpus(2, kMebibyte),
            [&](auto& i) {
              i.needs = {engine, engine};
            }),
       2312 * kMebibyte,
       {},
       "max(1Mi × 2 GPUs, need 2312Mi = vLLM 640 MiB + vLLM 640 MiB + NCCL 1032Mi for 4 "
       "communicators) = 2312Mi"},
      {"given",
       with(Gpus(2), [](auto& i) { i.explicit_size = 1000; }),
       1000,
       {},
       "1000 as sharedMemory.size says"},
      {"given as computed",
       with(Gpus(2), [](auto& i) { i.explicit_size = 2 * kGibibyte; }),
       2 * kGibibyte,
       {},
       "1Gi × 2 GPUs = 2Gi"},
      {"given below the need",
       with(Gpus(2),
            [&](auto& i) {
              i.needs = {engine};
              i.explicit_size = kGibibyte;
            }),
       kGibibyte,
       {"BelowComputedNeed"},
       "1Gi as sharedMemory.size says"},
      {"computed above the maximum",
       with(Gpus(4), [](auto& i) { i.max_size = kGibibyte; }),
       kGibibyte,
       {"CappedAtMaxSize"},
       "1Gi × 4 GPUs = 4Gi, at most 1Gi"},
      {"beyond all numbers",
       with(Gpus(1024, kMost), [&](auto& i) { i.needs = {engine}; }),
       kMost,
       {},
       nullptr},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    const SizeDecision decision = DecideSize(c.input);
    CHECK(decision.size == c.size);
    CHECK(Names(decision.notes) == c.notes);
    if (c.words) CHECK(decision.arithmetic == c.words);
  }
}

TEST_CASE("what is below the need is said with both numbers") {
  SizeInput input = Gpus(2);
  input.needs = {{700 * kMebibyte, "vLLM 700 MiB", 0}};
  input.explicit_size = 64 * kMebibyte;
  CHECK(DecideSize(input).notes.at(0).ToString() ==
        "BelowComputedNeed: 64Mi is below the computed need of 700Mi = vLLM 700 MiB");
}

TEST_CASE("a pod with the env of a measured row is never given less than that row's peak") {
  std::ifstream file(SHM_TEST_DATA "/nccl-shm-h100x2.jsonl");
  REQUIRE(file.is_open());
  int started = 0;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json row = nlohmann::json::parse(line);
    if (!row.at("ok")) continue;
    ++started;
    INFO(row.at("case").get<std::string>());
    std::vector<EnvVar> env;
    for (const auto& [name, value] : row.at("env").items()) env.push_back({name, value, false});
    InferenceService service;
    service.name = "s";
    service.selector = LabelSelector{};
    service.shared_memory.communicators = row.at("communicators");
    service.shared_memory.size_per_gpu = kMebibyte;  // so that only the need can carry it
    PodContext context;
    context.services = {&service};
    const PodDecision decision = DecidePod(Engine(row.at("ranks"), env), context);
    REQUIRE(decision.size);
    const double peak = row.at("peak_shm_mib");  // rounded to 0.1
    CHECK(static_cast<double>(*decision.size) / kMebibyte >= peak - 0.05);
  }
  CHECK(started == 31);
}

TEST_CASE("an InferenceService is sized as its pods will be") {
  struct Case {
    const char* name;
    void (*change)(InferenceService&);
    std::optional<std::int64_t> size;
    std::optional<int> gpus;
  };
  const Case cases[] = {
      {"degrees",
       [](auto& s) {
         s.degrees = {2, 2, std::nullopt};
       },
       4 * kGibibyte, 4},
      {"nodes",
       [](auto& s) {
         s.degrees = {16, {}, {}}, s.node_count = 2;
       },
       8 * kGibibyte, 8},
      {"gpuCount", [](auto& s) { s.gpu_count = 1; }, kGibibyte, 1},
      {"nothing", [](auto&) {}, std::nullopt, std::nullopt},
      {"size alone", [](auto& s) { s.shared_memory.size = 5 * kMebibyte; }, 5 * kMebibyte,
       std::nullopt},
      {"size per GPU",
       [](auto& s) { s.gpu_count = 2, s.shared_memory.size_per_gpu = 3 * kGibibyte; },
       6 * kGibibyte, 2},
      {"disabled",
       [](auto& s) { s.gpu_count = 2, s.shared_memory.mode = SharedMemoryMode::kDisabled; },
       std::nullopt, 2},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    InferenceService service;
    service.name = "s";
    c.change(service);
    const auto sizing = SizeForService(service, {}, {});
    REQUIRE(sizing.ok());
    CHECK(sizing->size == c.size);
    CHECK(sizing->gpus_per_pod == c.gpus);
    CHECK(sizing->arithmetic.empty() == !c.size.has_value());
    CHECK(sizing->degrees == service.degrees);
  }
}

TEST_CASE("a template's own pod takes part in the size of its InferenceService") {
  InferenceService service;
  service.name = "s";
  service.has_template = true;
  const auto pod = ReadPod(std::string_view(
      R"({"spec":{"containers":[{"name":"c","command":["vllm","serve","m"],
          "args":["-tp","2","--kv-offloading-size","8"]}]}})"));
  const auto sizing = SizeForService(service, {}, {}, &*pod);
  REQUIRE(sizing.ok());
  CHECK(sizing->gpus_per_pod == 2);
  CHECK(*sizing->size > 8 * kGibibyte);
  CHECK(sizing->degrees == Degrees{});  // the command line is the engine's own business

  PodView labelled = *pod;
  labelled.has_metadata = true;
  labelled.labels = StringMap{{"shm-operator.dev/service", "s"}};
  PodContext context;
  context.services = {&service};
  const PodDecision decision = DecidePod(labelled, context);
  CHECK(decision.size == sizing->size);
  CHECK(decision.arithmetic == sizing->arithmetic);
}

TEST_CASE(
    "an InferenceService that does not add up, or is above maxSize, is an error on its field") {
  InferenceService service;
  service.degrees.tensor_parallel = 3;
  service.gpu_count = 2;
  CHECK(SizeForService(service, {}, {}).error().field == "spec.gpuCount");
  service.gpu_count = 3;
  service.shared_memory.size = 2 * kGibibyte;
  InstallationDefaults defaults;
  defaults.max_size = kGibibyte;
  CHECK(SizeForService(service, defaults, {}).error().ToString() ==
        "spec.sharedMemory.size: 2Gi is above 1Gi, the maxSize that holds here");
  NamespaceDefaults name_space;
  name_space.max_size = 2 * kGibibyte;
  CHECK(SizeForService(service, defaults, name_space).ok());
}

TEST_CASE("defaults come from the InferenceService, else the namespace, else the installation") {
  InstallationDefaults installation;
  installation.size_per_gpu = 1;
  installation.memory_limit_policy = MemoryLimitPolicy::kReject;
  std::vector<std::string> warnings;
  NamespaceDefaults name_space = ReadNamespaceDefaults({}, &warnings);
  CHECK(MergeRules(installation, name_space, nullptr).size_per_gpu == 1);
  name_space = ReadNamespaceDefaults({{"shm-operator.dev/size-per-gpu", "2"},
                                      {"shm-operator.dev/memory-limit-policy", "Raise"},
                                      {"shm-operator.dev/max-size", "1Gi"}},
                                     &warnings);
  CHECK(warnings.empty());
  SizingRules rules = MergeRules(installation, name_space, nullptr);
  CHECK(rules.size_per_gpu == 2);
  CHECK(rules.max_size == kGibibyte);
  CHECK(rules.memory_limit_policy == MemoryLimitPolicy::kRaise);
  InferenceService service;
  service.shared_memory.size_per_gpu = 3;
  service.shared_memory.memory_limit_policy = MemoryLimitPolicy::kWarn;
  rules = MergeRules(installation, name_space, &service);
  CHECK(rules.size_per_gpu == 3);
  CHECK(rules.memory_limit_policy == MemoryLimitPolicy::kWarn);

  name_space = ReadNamespaceDefaults({{"shm-operator.dev/size-per-gpu", "0"},
                                      {"shm-operator.dev/memory-limit-policy", "raise"},
                                      {"shm-operator.dev/max-size", "-1"}},
                                     &warnings);
  CHECK(name_space == NamespaceDefaults{});
  CHECK(warnings.size() == 3);
}

}  // namespace shm
