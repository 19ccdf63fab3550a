#include "kube/object_sink.h"

#include <nlohmann/json.hpp>

namespace shm::kube {
namespace {

std::string Meta(const nlohmann::json& object, const char* name) {
  const auto meta = object.find("metadata");
  if (meta == object.end() || !meta->is_object()) return {};
  const auto found = meta->find(name);
  return found != meta->end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

ObjectVersion VersionOf(const nlohmann::json& object) {
  return {Meta(object, "uid"), Meta(object, "resourceVersion")};
}

ObjectKey KeyOf(const nlohmann::json& object) {
  return {Meta(object, "namespace"), Meta(object, "name")};
}

}  // namespace shm::kube
