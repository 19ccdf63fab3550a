// What must hold for every pod. SHM_TEST_SEED repeats a run.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "core/gpu_containers.h"
#include "core/mutation.h"
#include "core/names.h"
#include "tests/support/generated_pods.h"

namespace shm {
namespace {

using nlohmann::json;

constexpr int kPods = 20'000;

void EraseFrom(json& object, const char* key) {
  if (object.is_object()) object.erase(key);
}

// Takes out of a container what may be changed in it.
void StripContainer(json& container) {
  for (const char* list : {"requests", "limits"}) {
    if (!container.contains("resources") || !container["resources"].contains(list)) continue;
    json& resources = container["resources"][list];
    if (!resources.is_object()) continue;
    resources.erase("memory");
    for (const char* gpu :
         {"nvidia.com/gpu", "nvidia.com/mig-1g.5gb", "amd.com/gpu", "example.com/x"}) {
      resources.erase(gpu);
    }
    if (resources.empty()) container["resources"].erase(list);
  }
  if (container.contains("resources")) {
    for (const char* list : {"requests", "limits"}) {
      if (container["resources"].contains(list) && container["resources"][list].is_null()) {
        container["resources"].erase(list);
      }
    }
    if (container["resources"].empty()) container.erase("resources");
  }
  json env = json::array();
  for (const json& entry : container.value("env", json::array())) {
    const std::string name = entry["name"];
    if (name != "TENSOR_PARALLEL_SIZE" && name != "PIPELINE_PARALLEL_SIZE" &&
        name.rfind("NCCL_CUMEM", 0) != 0) {
      env.push_back(entry);
    }
  }
  container["env"] = env;
  json mounts = json::array();
  if (container.contains("volumeMounts") && container["volumeMounts"].is_array()) {
    for (json mount : container["volumeMounts"]) {
      if (CleanPath(std::string(mount["mountPath"])) != "/dev/shm") mounts.push_back(mount);
    }
  }
  container["volumeMounts"] = mounts;
}

// What is left of a pod without the paths that are documented to change.
json Strip(json pod) {
  if (!pod.contains("metadata")) pod["metadata"] = json::object();
  json& metadata = pod["metadata"];
  for (const char* map : {"labels", "annotations"}) {
    if (!metadata.contains(map) || metadata[map].is_null()) metadata[map] = json::object();
  }
  metadata["labels"].erase(names::kInjectedLabel);
  metadata["annotations"].erase(names::kInjectionAnnotation);
  json& spec = pod["spec"];
  for (const char* list : {"containers", "initContainers"}) {
    if (!spec.contains(list)) continue;
    for (json& container : spec[list]) StripContainer(container);
  }
  json volumes = json::array();
  for (json volume : spec.value("volumes", json::array())) {
    if (volume["name"] == names::kVolume) continue;
    if (volume.contains("emptyDir")) EraseFrom(volume["emptyDir"], "sizeLimit");
    volumes.push_back(volume);
  }
  spec["volumes"] = volumes;
  if (spec.contains("resources")) {
    for (const char* list : {"requests", "limits"}) {
      if (spec["resources"].contains(list)) EraseFrom(spec["resources"][list], "memory");
    }
  }
  return pod;
}

std::string Duplicates(const PodView& pod) {
  for (const auto* list : {&pod.containers, &pod.init_containers}) {
    for (const ContainerView& container : *list) {
      std::set<std::string> paths;
      std::set<std::string> names;
      if (!container.mounts) continue;
      for (const MountView& mount : *container.mounts) {
        if (!paths.insert(mount.path).second) return container.name + " mounts " + mount.path;
        if (!pod.FindVolume(mount.volume)) return container.name + " mounts no volume";
      }
    }
  }
  return "";
}

// Trap S9: of every GPU resource requests equal limits.
std::string Unequal(const PodView& pod) {
  for (const auto* list : {&pod.containers, &pod.init_containers}) {
    for (const ContainerView& container : *list) {
      const ResourceList none;
      const ResourceList& requests = container.resources.requests.value_or(none);
      const ResourceList& limits = container.resources.limits.value_or(none);
      for (const auto* side : {&requests, &limits}) {
        for (const auto& entry : *side) {
          if (!IsGpuResource(entry.first, "nvidia.com/gpu")) continue;
          if (requests.count(entry.first) == 0 || limits.count(entry.first) == 0 ||
              requests.at(entry.first) != limits.at(entry.first)) {
            return container.name + ": " + entry.first;
          }
        }
      }
    }
  }
  return "";
}

}  // namespace

TEST_CASE("A1, A4, A6, A7, S9: whatever the pod, the patch applies, is whole, and is needed once") {
  const unsigned seed = TestSeed();
  WARN("seed " << seed);
  PodGenerator generator(seed);
  int injected = 0;
  int denied = 0;
  for (int i = 0; i < kPods; ++i) {
    const json document = generator.Pod();
    const auto services = generator.Services();
    PodContext context;
    context.namespace_name = "llm";
    context.installation = generator.Defaults();
    for (const auto& service : services) context.services.push_back(&service);
    const auto templates = generator.Templates();
    if (i % 2 == 0) {
      context.claim_templates.emplace();
      for (const auto& one : templates) context.claim_templates->push_back(&one);
    }

    const auto pod = ReadPodDocument(document);
    if (!pod.ok()) FAIL(pod.error().ToString() << '\n' << document.dump());
    const PodDecision first = DecidePod(*pod, context);
    const std::string patch = RenderJsonPatch(first.patch);
    const auto explain = [&] {
      return "seed " + std::to_string(seed) + ", pod " + std::to_string(i) + "\n" +
             document.dump() + "\n" + patch;
    };
    if (first.reason == Reason::kInternal) FAIL(first.message << '\n' << explain());
    if (!(*ReadPod(std::string_view(document.dump())) == *pod)) FAIL(explain());
    const bool changes = first.outcome == Outcome::kInjected && !first.audited;
    if (changes == first.patch.empty()) FAIL(explain());
    injected += changes ? 1 : 0;
    denied += first.outcome == Outcome::kDenied ? 1 : 0;
    if (!changes) continue;

    const json patched = document.patch(json::parse(patch));
    if (Strip(patched) != Strip(document)) FAIL("changes more\n" << explain());
    const auto again = ReadPodDocument(patched);
    if (!again.ok()) FAIL(again.error().ToString() << '\n' << explain());
    const PodDecision second = DecidePod(*again, context);
    if (!second.patch.empty()) {
      FAIL("second pass " << RenderJsonPatch(second.patch) << '\n' << explain());
    }
    if (second.size != first.size || second.gpus != first.gpus) FAIL("sizes\n" << explain());
    if (!Duplicates(*again).empty()) FAIL(Duplicates(*again) << '\n' << explain());
    if (!Unequal(*again).empty()) FAIL(Unequal(*again) << '\n' << explain());
  }
  CHECK(injected > kPods / 4);
  CHECK(denied > kPods / 200);
}

}  // namespace shm
