#include "core/repair_probe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/injection_record.h"
#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

// Of the token volume that the ServiceAccount admission plugin adds (kubernetes/kubernetes
// plugin/pkg/admission/serviceaccount/admission.go, ServiceAccountVolumeName).
constexpr const char* kTokenVolume = "kube-api-access-";

bool IsTokenVolume(const json& entry) {
  return entry.is_object() && entry.value("name", "").rfind(kTokenVolume, 0) == 0;
}

void RemoveTokenVolumes(json& list) {
  if (!list.is_array()) return;
  list.erase(std::remove_if(list.begin(), list.end(), IsTokenVolume), list.end());
}

json Metadata(const json& pod) {
  const json& from = pod.at("metadata");
  json metadata = json::object();
  for (const char* key : {"namespace", "labels", "annotations", "ownerReferences"}) {
    if (from.contains(key)) metadata[key] = from[key];
  }
  const std::string name = from.value("name", "pod");
  metadata["generateName"] = from.value("generateName", name + "-");
  if (metadata.contains("labels")) metadata["labels"].erase(names::kInjectedLabel);
  if (metadata.contains("ownerReferences")) {
    // To block an owner's deletion takes a right on that owner (OwnerReferencesPermission-
    // Enforcement), which a dry run needs as well.
    for (json& owner : metadata["ownerReferences"]) owner.erase("blockOwnerDeletion");
  }
  return metadata;
}

}  // namespace

json BuildRepairProbe(const json& pod) {
  json spec = pod.at("spec");
  // The numbers of priority and runtime classes are looked up again, and must agree where given.
  for (const char* key :
       {"nodeName", "ephemeralContainers", "priority", "preemptionPolicy", "overhead"}) {
    spec.erase(key);
  }
  if (spec.contains("volumes")) RemoveTokenVolumes(spec["volumes"]);
  for (const char* list : {"containers", "initContainers"}) {
    if (!spec.contains(list)) continue;
    for (json& container : spec[list]) {
      if (container.contains("volumeMounts")) RemoveTokenVolumes(container["volumeMounts"]);
    }
  }
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", Metadata(pod)},
          {"spec", std::move(spec)}};
}

std::optional<ProbeRefusal> JudgeRepairProbe(const json& created,
                                             std::optional<std::int64_t> size) {
  const json metadata = created.value("metadata", json::object());
  const json labels = metadata.value("labels", json::object());
  if (labels.value(names::kInjectedLabel, "") != "true") {
    return ProbeRefusal{"DryRunNotInjected",
                        "the webhook did not size a copy of it in a dry run: does it run, and does "
                        "it see this namespace?"};
  }
  if (!size) return std::nullopt;
  const json annotations = metadata.value("annotations", json::object());
  const auto record = ReadInjection(annotations.value(names::kInjectionAnnotation, ""));
  const std::int64_t got = record ? record->size.value_or(0) : 0;
  if (got >= *size) return std::nullopt;
  return ProbeRefusal{"DryRunTooSmall",
                      "a copy of it got " +
                          (got > 0 ? FormatBytes(got) : std::string("no volume")) +
                          " in a dry run, where " + FormatBytes(*size) + " is wanted"};
}

}  // namespace shm
