#include "tests/support/generated_pods.h"

#include <cstdlib>

#include "core/names.h"
#include "core/quantity.h"

namespace shm {

using Json = nlohmann::json;

namespace {

bool NamesClaims(const Json& spec) {
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : spec.value(list, Json::array())) {
      if (container.contains("/resources/claims"_json_pointer)) return true;
    }
  }
  return false;
}

}  // namespace

unsigned TestSeed() {
  const char* given = std::getenv("SHM_TEST_SEED");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

Json PodGenerator::Labels() {
  Json labels = Json::object();
  if (Chance(50)) labels[names::kServiceLabel] = Chance(95) ? "tied" : "absent";
  if (Chance(40)) labels["app"] = "engine";
  if (Chance(3)) labels[names::kInjectLabel] = "false";
  if (Chance(5)) labels[names::kInjectedLabel] = Pick<std::string>({"true", "no", ""});
  return labels;
}

Json PodGenerator::Annotations() {
  Json annotations = {{"note/with_odd", "kept"}};
  const auto add = [&](int percent, const char* key, const std::vector<std::string>& values) {
    if (Chance(percent)) annotations[key] = Pick(values);
  };
  add(15, names::kShmSizeAnnotation, {"512Mi", "3G", "64Gi", "-1", "junk", "1"});
  add(15, names::kGpuCountAnnotation, {"1", "2", "8", "1024", "0", "x"});
  add(15, names::kTensorParallelSizeAnnotation, {"1", "2", "3", "4096"});
  add(10, names::kLwsSizeAnnotation, {"1", "2", "3"});
  add(3, names::kCrioShmSizeAnnotation, {"1Gi"});
  add(10, names::kInjectionAnnotation,
      {"", "{}", "[", R"({"version":1,"size":"2Gi","gpus":2})",
       R"({"version":1,"size":"2Gi","gpus":2,"raised":{"bytes":1073741824,"container":"c0"}})",
       R"({"version":1,"size":"1Gi","gpus":1,"raised":{"bytes":1073741824,"podLimit":"1Gi"}})",
       R"({"version":9,"gpus":-3,"size":"x","raised":{"bytes":9223372036854775807}})"});
  return annotations;
}

Json PodGenerator::Metadata() {
  if (Chance(3)) return Json::object();
  Json metadata = {{Chance(80) ? "name" : "generateName", "p"}};
  if (Chance(80)) metadata["labels"] = Labels();
  if (Chance(60)) metadata["annotations"] = Annotations();
  if (Chance(3)) metadata[Chance(50) ? "labels" : "annotations"] = nullptr;
  return metadata;
}

Json PodGenerator::Volume(const std::string& name) {
  Json volume = {{"name", name}};
  switch (Below(9)) {
    case 0:
      volume["emptyDir"] = Pick<Json>({Json::object(), {{"medium", ""}}, {{"sizeLimit", "1Gi"}}});
      break;
    case 1:
      volume["hostPath"] = {{"path", "/dev/shm"}};
      break;
    case 2:
      volume["persistentVolumeClaim"] = {{"claimName", "c"}};
      break;
    case 3:
      volume["configMap"] = {{"name", "c"}};
      break;
    case 4:
      if (Chance(50)) break;  // no source: an emptyDir on disk
      volume["emptyDir"] = nullptr;
      break;
    default:
      volume["emptyDir"] = {{"medium", "Memory"}};
      if (Chance(60)) {
        volume["emptyDir"]["sizeLimit"] =
            Pick<Json>({"64Mi", "1Gi", "8Gi", "100Gi", "0", 1073741824, "1.5G", "100m", nullptr});
      }
  }
  return volume;
}

Json PodGenerator::Mounts(const std::vector<std::string>& volumes) {
  Json mounts = Json::array();
  if (volumes.empty()) return mounts;
  if (Chance(30)) mounts.push_back({{"name", Pick(volumes)}, {"mountPath", "/data"}});
  if (Chance(40)) {
    Json mount = {{"name", Pick(volumes)},
                  {"mountPath", Pick<std::string>({"/dev/shm", "/dev//shm", "/dev/shm/", "dev/shm",
                                                   "/dev/./shm"})}};
    if (Chance(30)) mount["readOnly"] = Chance(70);
    if (mount.value("readOnly", false) && Chance(50)) mount["recursiveReadOnly"] = "IfPossible";
    if (Chance(10)) mount["subPath"] = "s";
    mounts.push_back(mount);
  }
  return mounts;
}

Json PodGenerator::Resources() {
  Json resources = Json::object();
  const std::string gpu =
      Pick<std::string>({"nvidia.com/gpu", "nvidia.com/gpu", "nvidia.com/mig-1g.5gb", "amd.com/gpu",
                         "example.com/x"});
  if (Chance(50)) {
    const Json count = Pick<Json>({"1", "2", 2, "8", "0", "16"});
    if (Chance(90)) resources["limits"][gpu] = count;
    if (Chance(70) || !resources.contains("limits")) resources["requests"][gpu] = count;
  }
  if (Chance(50)) {
    const std::string memory = Pick(memory_);
    if (Chance(90)) resources["limits"]["memory"] = memory;
    if (Chance(70)) resources["requests"]["memory"] = memory == "0" || Chance(70) ? memory : "64Mi";
  }
  if (Chance(10)) {
    resources["claims"] = Json::array({{{"name", Pick<std::string>({"g", "h"})}}});
    if (Chance(30)) resources["claims"][0]["request"] = Pick<std::string>({"a", "b"});
  }
  if (Chance(5)) resources["limits"] = nullptr;
  return resources;
}

Json PodGenerator::Claims() {
  Json claims = Json::array();
  for (const char* name : {"g", "h"}) {
    claims.push_back({{"name", name}});
    if (Chance(20)) {
      claims.back()["resourceClaimName"] = "own";
    } else {
      claims.back()["resourceClaimTemplateName"] = Pick<std::string>({"t", "u", "absent"});
    }
  }
  return claims;
}

Json PodGenerator::Env() {
  Json env = Json::array();
  const auto add = [&](int percent, const char* name, const std::vector<std::string>& values) {
    if (Chance(percent)) env.push_back({{"name", name}, {"value", Pick(values)}});
  };
  add(20, "A", {"$(TENSOR_PARALLEL_SIZE)", "x"});
  add(10, "TENSOR_PARALLEL_SIZE", {"2", "4", "many"});
  add(10, "PIPELINE_PARALLEL_SIZE", {"2"});
  add(10, "NCCL_CUMEM_ENABLE", {"0", "1", "true"});
  add(10, "NCCL_MIN_NCHANNELS", {"32", "-1", "0x10"});
  add(5, "NCCL_BUFFSIZE", {"1048576", "999999999999"});
  if (Chance(5)) {
    env.push_back({{"name", "NCCL_P2P_DISABLE"},
                   {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.name"}}}}}});
  }
  return env;
}

void PodGenerator::Command(Json& container) {
  const std::string degree = Pick<std::string>({"1", "2", "3", "8", "$(TENSOR_PARALLEL_SIZE)"});
  switch (Below(6)) {
    case 0:
      container["args"] = {"--model", "m", "--tensor-parallel-size=" + degree};
      break;
    case 1:
      container["command"] = {"vllm", "serve", "m", "-tp", degree};
      break;
    case 2:
      container["command"] = {"sh", "-c", "exec vllm serve m --tensor-parallel-size " + degree};
      break;
    case 3:
      container["command"] = {"bash", "-c", "ray start --head --block & vllm serve 'm"};
      break;
    case 4:
      container["command"] = {"python3", "-m", "sglang.launch_server", "--tp", degree};
      break;
    default:
      break;
  }
}

Json PodGenerator::Container(int number, bool init, const std::vector<std::string>& volumes) {
  Json container = {{"name", (init ? "i" : "c") + std::to_string(number)}, {"future", {{"x", 1}}}};
  if (!init && Chance(10)) {
    container["name"] =
        Pick<std::string>({"vllm", "main", "engine"}) + (number > 0 ? std::to_string(number) : "");
  }
  container["image"] = Pick<std::string>({"vllm/vllm-openai", "example/app"});
  if (init && Chance(50)) container["restartPolicy"] = "Always";
  if (Chance(70)) container["resources"] = Resources();
  if (Chance(60)) container["env"] = Env();
  if (Chance(3)) container["env"] = nullptr;
  if (Chance(10)) container["envFrom"] = Json::array({{{"configMapRef", {{"name", "c"}}}}});
  if (Chance(70)) container["volumeMounts"] = Mounts(volumes);
  if (Chance(5)) container["volumeMounts"] = nullptr;
  Command(container);
  return container;
}

// The pod's own resources, and with them what its containers may ask for.
Json PodGenerator::PodResources() {
  memory_ = {"512Mi", "2Gi", "3G", "64Gi", "0"};
  if (Chance(70)) return nullptr;
  const std::string limit = Pick<std::string>({"1Gi", "16Gi", "512Gi"});
  Json resources;
  if (Chance(90)) resources["limits"]["memory"] = limit;
  if (Chance(50)) resources["requests"]["memory"] = limit;
  if (Chance(95) && limit == "1Gi") memory_ = {"64Mi", "128Mi", "0"};
  if (Chance(95) && limit == "16Gi") memory_ = {"512Mi", "2Gi", "3G", "0"};
  return resources;
}

Json PodGenerator::Pod() {
  Json spec = {{"terminationGracePeriodSeconds", 30}};
  if (Json resources = PodResources(); !resources.is_null()) spec["resources"] = resources;
  std::vector<std::string> volumes;
  if (Chance(70)) {
    spec["volumes"] = Json::array();
    for (int i = Below(4); i > 0; --i) {
      volumes.push_back(Chance(20) && i == 1 ? names::kVolume : "v" + std::to_string(i));
      spec["volumes"].push_back(Volume(volumes.back()));
    }
  }
  spec["containers"] = Json::array();
  for (int i = 0, count = 1 + Below(3); i < count; ++i) {
    spec["containers"].push_back(Container(i, false, volumes));
  }
  if (Chance(40)) {
    spec["initContainers"] = Json::array();
    for (int i = 0, count = Below(3); i < count; ++i) {
      spec["initContainers"].push_back(Container(i, true, volumes));
    }
  }
  if (Chance(5)) spec["hostIPC"] = true;
  if (NamesClaims(spec) || Chance(50)) spec["resourceClaims"] = Claims();
  Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", spec}};
  if (Chance(97)) pod["metadata"] = Metadata();
  return pod;
}

std::vector<InferenceService> PodGenerator::Services() {
  std::vector<InferenceService> services(2);
  services[0].name = "tied";
  services[1].name = "selecting";
  services[1].selector = LabelSelector{{{"app", "engine"}}, {}};
  for (InferenceService& service : services) {
    const auto degree = [this] { return Chance(50) ? std::optional(1 + Below(4)) : std::nullopt; };
    service.degrees = {degree(), degree(), degree()};
    service.node_count = degree();
    if (Chance(40)) service.gpu_count = 1 + Below(16);
    if (Chance(10)) service.gpu_resource_name = "example.com/x";
    if (Chance(10)) service.container_name = "c1";
    SharedMemorySpec& shared = service.shared_memory;
    if (Chance(20)) shared.mode = SharedMemoryMode::kDisabled;
    if (Chance(15)) shared.size = kMebibyte * (1 + Below(40'000));
    if (Chance(15)) shared.size_per_gpu = std::int64_t{1} << Below(51);
    if (Chance(20)) shared.communicators = 1 + Below(1024);
    if (Chance(20)) shared.mount_scope = MountScope::kGpuContainers;
    if (Chance(50)) {
      shared.memory_limit_policy =
          Chance(80) ? MemoryLimitPolicy::kRaise : MemoryLimitPolicy::kReject;
    }
  }
  return services;
}

std::vector<ClaimTemplate> PodGenerator::Templates() {
  const auto gpus = [this] { return Chance(80) ? std::optional(Below(9)) : std::nullopt; };
  return {{"t", {{"a", gpus()}, {"b", gpus()}}}, {"u", {{"a", gpus()}}}};
}

InstallationDefaults PodGenerator::Defaults() {
  InstallationDefaults defaults;
  if (Chance(20)) defaults.max_size = kMebibyte * (1 + Below(20'000));
  if (Chance(30)) defaults.memory_limit_policy = MemoryLimitPolicy::kRaise;
  if (Chance(2)) defaults.audit = true;
  return defaults;
}

}  // namespace shm
