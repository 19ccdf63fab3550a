#include "cli/scanned_pod.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace shm::cli {
namespace {

using Json = nlohmann::json;

// Null where `object` is no object, or has no such member.
const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string Text(const Json& object, const char* part, const char* name) {
  const Json* within = Member(object, part);
  const Json* value = within ? Member(*within, name) : nullptr;
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

bool HasEnded(const Json& pod) {
  const std::string phase = Text(pod, "status", "phase");
  return phase == "Succeeded" || phase == "Failed";
}

Result<ScannedPod> ReadScannedPod(const Json& pod) {
  Result<PodView> view = ReadPodDocument(pod);
  if (!view.ok()) return view.error();
  ScannedPod scanned;
  scanned.view = std::move(view).value();
  scanned.namespace_name = scanned.view.namespace_name;
  if (scanned.namespace_name.empty()) scanned.namespace_name = "default";
  scanned.phase = Text(pod, "status", "phase");
  scanned.node = Text(pod, "spec", "nodeName");
  return scanned;
}

std::string NameOf(const Json& object) {
  const std::string name = Text(object, "metadata", "name");
  const std::string name_space = Text(object, "metadata", "namespace");
  return name_space.empty() ? name : name_space + "/" + name;
}

}  // namespace shm::cli
