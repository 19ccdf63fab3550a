#include "core/children.h"

#include <nlohmann/json.hpp>

#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

constexpr int kDefaultPort = 8000;

// A foreground deletion of the InferenceService waits for what blocks it, and for nothing else.
json OwnerReference(const InferenceService& service) {
  return {{"apiVersion", names::kApiVersion},
          {"kind", names::kKind},
          {"name", service.name},
          {"uid", service.uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

json Metadata(const InferenceService& service) {
  return {{"name", service.name},
          {"namespace", service.namespace_name},
          {"labels",
           {{names::kServiceLabel, service.name},
            {"app.kubernetes.io/managed-by", names::kFieldManager}}},
          {"ownerReferences", json::array({OwnerReference(service)})}};
}

json PodSelector(const InferenceService& service) { return {{names::kServiceLabel, service.name}}; }

void StampDegree(json& annotations, const char* key, const std::optional<int>& degree) {
  if (degree) annotations[key] = std::to_string(*degree);
}

json StampAnnotations(const Stamp& stamp) {
  json annotations = json::object();
  if (stamp.shm_size) annotations[names::kShmSizeAnnotation] = FormatBytes(*stamp.shm_size);
  StampDegree(annotations, names::kGpuCountAnnotation, stamp.gpu_count);
  StampDegree(annotations, names::kTensorParallelSizeAnnotation, stamp.degrees.tensor_parallel);
  StampDegree(annotations, names::kPipelineParallelSizeAnnotation, stamp.degrees.pipeline_parallel);
  StampDegree(annotations, names::kDataParallelSizeAnnotation, stamp.degrees.data_parallel);
  return annotations;
}

// The user's template with our label and stamp. What the user wrote under the same keys wins over a
// stamp (an explicit annotation is the pod's own), never over the label that the selector needs.
json PodTemplate(const InferenceService& service, const json& spec, const Stamp& stamp) {
  json pod_template = spec.at("template");
  json& metadata = pod_template["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  json labels = metadata.value("labels", json::object());
  labels.update(PodSelector(service));
  json annotations = StampAnnotations(stamp);
  annotations.update(metadata.value("annotations", json::object()));
  metadata = {{"labels", std::move(labels)}};
  if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
  return pod_template;
}

// No surge: where every GPU is in use, a surge pod waits for ever.
json Strategy(const json& spec) {
  if (spec.contains("strategy")) return spec.at("strategy");
  return {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxSurge", 0}, {"maxUnavailable", 1}}}};
}

// What stands at a path; an empty object where there is none.
json At(const json& object, const json::json_pointer& path) {
  return object.contains(path) ? object.at(path) : json::object();
}

std::optional<int> ReadCount(const json& annotations, const char* key) {
  const auto found = annotations.find(key);
  if (found == annotations.end() || !found->is_string()) return std::nullopt;
  const auto number = ParseQuantity(found->get_ref<const std::string&>());
  if (!number.ok() || *number < 1 || *number > 1024) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

json BuildDeployment(const InferenceService& service, const json& spec, const Stamp& stamp) {
  json metadata = Metadata(service);
  metadata["annotations"] = {
      {names::kStampedGenerationAnnotation, std::to_string(stamp.generation)}};
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", std::move(metadata)},
          {"spec",
           {{"replicas", spec.value("replicas", 1)},
            {"strategy", Strategy(spec)},
            {"selector", {{"matchLabels", PodSelector(service)}}},
            {"template", PodTemplate(service, spec, stamp)}}}};
}

json BuildService(const InferenceService& service, const json& spec) {
  const int port = spec.value("port", kDefaultPort);
  return {
      {"apiVersion", "v1"},
      {"kind", "Service"},
      {"metadata", Metadata(service)},
      {"spec",
       {{"selector", PodSelector(service)},
        {"ports",
         json::array(
             {{{"name", "http"}, {"port", port}, {"targetPort", port}, {"protocol", "TCP"}}})}}}};
}

std::optional<Stamp> ReadStamp(const json& deployment) {
  const json own = At(deployment, "/metadata/annotations"_json_pointer);
  const auto generation = own.find(names::kStampedGenerationAnnotation);
  if (generation == own.end() || !generation->is_string()) return std::nullopt;
  const auto number = ParseQuantity(generation->get_ref<const std::string&>());
  if (!number.ok()) return std::nullopt;

  const json pods = At(deployment, "/spec/template/metadata/annotations"_json_pointer);
  Stamp stamp{*number, std::nullopt, ReadCount(pods, names::kGpuCountAnnotation), {}};
  stamp.degrees.tensor_parallel = ReadCount(pods, names::kTensorParallelSizeAnnotation);
  stamp.degrees.pipeline_parallel = ReadCount(pods, names::kPipelineParallelSizeAnnotation);
  stamp.degrees.data_parallel = ReadCount(pods, names::kDataParallelSizeAnnotation);
  const auto size = pods.find(names::kShmSizeAnnotation);
  if (size != pods.end() && size->is_string()) {
    if (const auto bytes = ParseQuantity(size->get<std::string>()); bytes.ok()) {
      stamp.shm_size = *bytes;
    }
  }
  return stamp;
}

std::string SelectorText(const InferenceService& service) {
  if (!service.selector) return std::string(names::kServiceLabel) + "=" + service.name;
  std::string text;
  const auto add = [&text](const std::string& term) {
    if (!text.empty()) text += ",";
    text += term;
  };
  for (const auto& [key, value] : service.selector->match_labels) add(key + "=" + value);
  for (const auto& requirement : service.selector->match_expressions) {
    std::string values;
    for (const auto& value : requirement.values) values += (values.empty() ? "" : ",") + value;
    switch (requirement.op) {
      case LabelSelector::Operator::kIn:
        add(requirement.key + " in (" + values + ")");
        break;
      case LabelSelector::Operator::kNotIn:
        add(requirement.key + " notin (" + values + ")");
        break;
      case LabelSelector::Operator::kExists:
        add(requirement.key);
        break;
      case LabelSelector::Operator::kDoesNotExist:
        add("!" + requirement.key);
        break;
    }
  }
  return text;
}

}  // namespace shm
