// Objects for the tests of `shmctl scan`, as an API server would send them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shm::cli::testing {

using Json = nlohmann::json;

// A running pod with one GPU container, "engine", without a volume; `gpus` 0: none asked for.
inline Json MakePod(const std::string& name, int gpus, const std::string& name_space = "llm") {
  Json container = {{"name", "engine"}, {"image", "example/engine"}};
  if (gpus > 0) container["resources"]["limits"]["nvidia.com/gpu"] = std::to_string(gpus);
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"namespace", name_space}}},
          {"spec", {{"nodeName", "node1"}, {"containers", Json::array({container})}}},
          {"status", {{"phase", "Running"}}}};
}

inline Json& ContainerOf(Json& pod) { return pod["spec"]["containers"][0]; }

// Mounts `source` ({"emptyDir": ...}) at /dev/shm.
inline Json WithVolume(Json pod, const Json& source) {
  Json volume = source;
  volume["name"] = "dshm";
  pod["spec"]["volumes"] = Json::array({volume});
  ContainerOf(pod)["volumeMounts"] = Json::array({{{"name", "dshm"}, {"mountPath", "/dev/shm"}}});
  return pod;
}

inline Json Memory(const std::string& size_limit) {
  Json source = {{"emptyDir", {{"medium", "Memory"}}}};
  if (!size_limit.empty()) source["emptyDir"]["sizeLimit"] = size_limit;
  return source;
}

inline Json WithArgs(Json pod, const Json& args) {
  ContainerOf(pod)["args"] = args;
  return pod;
}

inline Json WithLabel(Json pod, const std::string& name, const std::string& value) {
  pod["metadata"]["labels"][name] = value;
  return pod;
}

inline Json WithAnnotation(Json pod, const std::string& name, const std::string& value) {
  pod["metadata"]["annotations"][name] = value;
  return pod;
}

inline Json WithMemoryLimit(Json pod, const std::string& limit) {
  ContainerOf(pod)["resources"]["limits"]["memory"] = limit;
  return pod;
}

inline Json MakeService(const std::string& name, const Json& spec,
                        const std::string& name_space = "llm") {
  return {{"apiVersion", "shm-operator.dev/v1alpha1"},
          {"kind", "InferenceService"},
          {"metadata", {{"name", name}, {"namespace", name_space}}},
          {"spec", spec}};
}

inline Json MakeNamespace(const std::string& name, bool enabled,
                          const Json& annotations = Json::object()) {
  Json object = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
  if (enabled) object["metadata"]["labels"]["shm-operator.dev/injection"] = "enabled";
  object["metadata"]["annotations"] = annotations;
  return object;
}

inline Json MakeList(const std::vector<Json>& items) {
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}};
}

}  // namespace shm::cli::testing
