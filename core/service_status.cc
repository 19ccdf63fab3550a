#include "core/service_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/children.h"
#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

using nlohmann::json;

struct Condition {
  const char* type;
  bool holds;
  const char* reason;
  std::string message;
};

// Reasons of the webhook that say a pod's memory limit cannot hold its /dev/shm.
bool IsMemoryReason(const std::string& reason) {
  return reason == "MemoryLimitTooSmall" || reason == "PodMemoryLimitTooSmall";
}

bool HasReason(const PodFacts& pod, bool (*predicate)(const std::string&)) {
  return std::any_of(pod.reasons.begin(), pod.reasons.end(), predicate);
}

std::string PodCount(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " pod" : " pods");
}

Condition DecideParallelism(const StatusFacts& facts) {
  if (facts.invalid) return {"ParallelismValid", false, "Invalid", facts.invalid->ToString()};
  const auto disagrees = [](const std::string& reason) { return reason == "ParallelismMismatch"; };
  for (const auto& pod : facts.pods) {
    if (HasReason(pod, disagrees)) {
      return {"ParallelismValid", false, "PodDisagrees",
              "pod " + pod.name + " asks for other GPUs than TP × PP × DP gives"};
    }
  }
  return {"ParallelismValid", true, "Valid",
          facts.gpus_per_pod ? std::to_string(*facts.gpus_per_pod) + " GPUs in each pod"
                             : "no degree and no GPU count given; each pod's own are used"};
}

Condition DecideMemory(const StatusFacts& facts) {
  for (const auto& pod : facts.pods) {
    if (HasReason(pod, IsMemoryReason)) {
      return {"MemoryBudget", false, "LimitTooSmall",
              "the memory limit of pod " + pod.name +
                  " does not hold its /dev/shm; see its annotation " + names::kInjectionAnnotation};
    }
  }
  return {"MemoryBudget", true, "Fits",
          "no pod's memory limit is below what its /dev/shm may take"};
}

Condition DecideSharedMemory(const InferenceService& service, const StatusFacts& facts) {
  constexpr const char* kType = "SharedMemoryReady";
  if (facts.invalid) return {kType, false, "Invalid", facts.invalid->ToString()};
  if (service.selector && !facts.namespace_enabled) {
    return {kType, false, "NamespaceNotEnabled",
            "pods here are not looked at until: kubectl label namespace " + service.namespace_name +
                " " + names::kNamespaceLabel + "=" + names::kNamespaceEnabled};
  }
  if (!facts.older_overlap.empty()) {
    return {kType, false, "Conflict",
            "InferenceService " + facts.older_overlap + " is older and selects the same pods"};
  }
  if (facts.pods.empty()) return {kType, true, "NoPods", "no pod yet"};
  if (const auto unsized = std::count_if(facts.pods.begin(), facts.pods.end(), IsUnsized)) {
    return {kType, false, "PodsUnsized",
            PodCount(unsized) + " of " + std::to_string(facts.pods.size()) +
                " started without the webhook" +
                (facts.repair ? "; condition Repaired says how their repair fares"
                              : "; delete them to have them sized")};
  }
  if (service.shared_memory.mode == SharedMemoryMode::kDisabled) {
    return {kType, true, "Disabled", "mode Disabled: NCCL is told to do without /dev/shm"};
  }
  return {kType, true, "Sized",
          PodCount(facts.pods.size()) + " sized" +
              (facts.size ? ", " + FormatBytes(*facts.size) + " each" : "")};
}

Condition DecideReady(const InferenceService& service, const StatusFacts& facts) {
  constexpr const char* kType = "Ready";
  const ChildrenOutcome& children = facts.children;
  using State = ChildrenOutcome::State;
  if (facts.invalid) return {kType, false, "Invalid", facts.invalid->ToString()};
  switch (children.state) {
    case State::kTemplateInvalid:
      return {kType, false, "TemplateInvalid", children.message};
    case State::kNameTaken:
      return {kType, false, "NameTaken", children.message};
    case State::kFailed:
      return {kType, false, "ApplyFailed", children.message};
    case State::kNotWanted:
    case State::kApplied:
      break;
  }
  const Condition shared_memory = DecideSharedMemory(service, facts);
  if (!shared_memory.holds) return {kType, false, shared_memory.reason, shared_memory.message};
  if (service.selector) {
    if (facts.pods.empty()) return {kType, true, "NoPods", "no pod matches the selector yet"};
    return {kType, true, "Sized", shared_memory.message};
  }
  // An Event outlives what it tells of by an hour: where every pod is there, it is of the past.
  const bool pods_lack = static_cast<int>(facts.pods.size()) < children.replicas;
  if (!facts.pod_creation_failure.empty() && pods_lack &&
      children.ready_replicas < children.replicas) {
    return {kType, false, "PodCreationFailed", facts.pod_creation_failure};
  }
  // As a Deployment of none is complete: what waits for Ready, Flux say, is not held up.
  if (children.replicas == 0 && facts.pods.empty()) {
    return {kType, true, "ScaledToZero", "scaled to 0: no pod is wanted"};
  }
  if (children.replicas == 0 || children.ready_replicas < children.replicas) {
    return {kType, false, "Progressing",
            std::to_string(children.ready_replicas) + " of " + std::to_string(children.replicas) +
                " replicas are ready"};
  }
  return {kType, true, "Available", PodCount(children.ready_replicas) + " ready"};
}

// Where no repair is asked for there is no such condition.
std::optional<Condition> DecideRepaired(const StatusFacts& facts) {
  if (!facts.repair) return std::nullopt;
  return Condition{"Repaired", facts.repair->done, facts.repair->reason.c_str(),
                   facts.repair->message};
}

std::string TransitionTime(const json& previous, const Condition& condition,
                           const std::string& now) {
  const json* old = FindCondition(previous, condition.type);
  const bool same = old && old->value("status", "") == (condition.holds ? "True" : "False");
  return same ? old->value("lastTransitionTime", now) : now;
}

json SharedMemoryStatus(const StatusFacts& facts) {
  const auto count = [&facts](auto predicate) {
    return std::count_if(facts.pods.begin(), facts.pods.end(), predicate);
  };
  json status = {
      {"pods", facts.pods.size()},
      {"injected", count([](const PodFacts& pod) { return pod.injected; })},
      {"unsized", count(IsUnsized)},
      {"outdated", count([&facts](const PodFacts& pod) { return IsOutdated(pod, facts); })}};
  if (facts.size) status["size"] = FormatBytes(*facts.size);
  if (!facts.arithmetic.empty()) status["arithmetic"] = facts.arithmetic;
  return status;
}

}  // namespace

const json* FindCondition(const json& status, std::string_view type) {
  if (!status.is_object()) return nullptr;
  const auto conditions = status.find("conditions");
  if (conditions == status.end() || !conditions->is_array()) return nullptr;
  for (const json& condition : *conditions) {
    const auto found = condition.is_object() ? condition.find("type") : condition.end();
    if (found != condition.end() && *found == type) return &condition;
  }
  return nullptr;
}

bool IsOutdated(const PodFacts& pod, const StatusFacts& facts) {
  if (!pod.injected || !facts.size || !pod.shm_size) return false;
  return facts.size_is_least ? *pod.shm_size < *facts.size : *pod.shm_size != *facts.size;
}

bool IsUnsized(const PodFacts& pod) { return !pod.injected && !pod.opted_out; }

std::string ErrorCondition(const InferenceService& service, const StatusFacts& facts) {
  // A pod that cannot be created hides behind unsized ones in Ready.
  StatusFacts sized = facts;
  sized.pods.erase(std::remove_if(sized.pods.begin(), sized.pods.end(), IsUnsized),
                   sized.pods.end());
  for (const Condition& condition :
       {DecideReady(service, sized), DecideSharedMemory(service, sized), DecideParallelism(sized),
        DecideMemory(sized)}) {
    if (!condition.holds && std::string_view(condition.reason) != "Progressing") {
      return std::string(condition.type) + " is False (" + condition.reason + ")";
    }
  }
  return "";
}

json BuildStatus(const InferenceService& service, const StatusFacts& facts, const json& previous,
                 const std::string& now) {
  std::vector<Condition> decided = {DecideReady(service, facts), DecideSharedMemory(service, facts),
                                    DecideParallelism(facts), DecideMemory(facts)};
  if (auto repaired = DecideRepaired(facts)) decided.push_back(*std::move(repaired));
  json conditions = json::array();
  for (const Condition& condition : decided) {
    conditions.push_back({{"type", condition.type},
                          {"status", condition.holds ? "True" : "False"},
                          {"reason", condition.reason},
                          {"message", condition.message},
                          {"observedGeneration", service.generation},
                          {"lastTransitionTime", TransitionTime(previous, condition, now)}});
  }
  const auto ready = std::count_if(facts.pods.begin(), facts.pods.end(),
                                   [](const PodFacts& pod) { return pod.ready; });
  json status = {
      {"observedGeneration", service.generation},
      {"conditions", std::move(conditions)},
      {"replicas",
       service.selector ? static_cast<int>(facts.pods.size()) : facts.children.replicas},
      {"readyReplicas", service.selector ? static_cast<int>(ready) : facts.children.ready_replicas},
      {"selector", SelectorText(service)},
      {"sharedMemory", SharedMemoryStatus(facts)}};
  if (facts.gpus_per_pod) status["gpusPerPod"] = *facts.gpus_per_pod;
  return status;
}

}  // namespace shm
