// Where the parts of a pod stand that PodViewBuilder reads: data for pod_view_builder.cc alone.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "core/pod_view_builder.h"

namespace shm {

enum class PodViewBuilder::Node {
  kSkip,  // whatever stands here is not looked at
  kPod,
  kMetadata,
  kName,
  kGenerateName,
  kNamespace,
  kLabels,
  kAnnotations,
  kMapText,  // a value of one of them
  kOwners,
  kOwner,
  kOwnerKind,
  kOwnerName,
  kSpec,
  kHostIpc,
  kOs,
  kOsName,
  kPodClaims,
  kPodClaim,
  kPodClaimName,
  kPodClaimClaim,
  kPodClaimTemplate,
  kPodResources,
  kVolumes,
  kVolume,
  kVolumeName,
  kEmptyDir,
  kMedium,
  kSizeLimit,
  kHostPath,
  kVolumeClaim,
  kOtherSource,
  kContainers,
  kInitContainers,
  kContainer,
  kContainerName,
  kImage,
  kRestartPolicy,
  kCommand,
  kArgs,
  kWord,
  kEnv,
  kEnvVar,
  kEnvName,
  kEnvValue,
  kEnvSource,
  kEnvFrom,
  kEnvFromEntry,
  kDevices,
  kDevice,
  kDevicePath,
  kMounts,
  kMount,
  kMountName,
  kMountPath,
  kReadOnly,
  kRecursiveReadOnly,
  kSubPath,
  kResources,
  kRequests,
  kLimits,
  kQuantity,  // a value of one of them
  kClaims,
  kClaim,
  kClaimName,
  kClaimRequest,
};

namespace pod_view_rules {

using Node = PodViewBuilder::Node;

// A member of an object; key "*" is any other member, "[]" an element of a list. Rules of one
// parent stand together.
struct Rule {
  Node parent;
  std::string_view key;
  Node child;
};

inline constexpr std::array kRules = {
    Rule{Node::kPod, "metadata", Node::kMetadata},
    Rule{Node::kPod, "spec", Node::kSpec},
    Rule{Node::kMetadata, "name", Node::kName},
    Rule{Node::kMetadata, "generateName", Node::kGenerateName},
    Rule{Node::kMetadata, "namespace", Node::kNamespace},
    Rule{Node::kMetadata, "labels", Node::kLabels},
    Rule{Node::kMetadata, "annotations", Node::kAnnotations},
    Rule{Node::kMetadata, "ownerReferences", Node::kOwners},
    Rule{Node::kLabels, "*", Node::kMapText},
    Rule{Node::kAnnotations, "*", Node::kMapText},
    Rule{Node::kOwners, "[]", Node::kOwner},
    Rule{Node::kOwner, "kind", Node::kOwnerKind},
    Rule{Node::kOwner, "name", Node::kOwnerName},
    Rule{Node::kSpec, "volumes", Node::kVolumes},
    Rule{Node::kSpec, "containers", Node::kContainers},
    Rule{Node::kSpec, "initContainers", Node::kInitContainers},
    Rule{Node::kSpec, "resources", Node::kPodResources},
    Rule{Node::kSpec, "resourceClaims", Node::kPodClaims},
    Rule{Node::kSpec, "hostIPC", Node::kHostIpc},
    Rule{Node::kSpec, "os", Node::kOs},
    Rule{Node::kOs, "name", Node::kOsName},
    Rule{Node::kPodClaims, "[]", Node::kPodClaim},
    Rule{Node::kPodClaim, "name", Node::kPodClaimName},
    Rule{Node::kPodClaim, "resourceClaimName", Node::kPodClaimClaim},
    Rule{Node::kPodClaim, "resourceClaimTemplateName", Node::kPodClaimTemplate},
    Rule{Node::kVolumes, "[]", Node::kVolume},
    Rule{Node::kVolume, "name", Node::kVolumeName},
    Rule{Node::kVolume, "emptyDir", Node::kEmptyDir},
    Rule{Node::kVolume, "hostPath", Node::kHostPath},
    Rule{Node::kVolume, "persistentVolumeClaim", Node::kVolumeClaim},
    Rule{Node::kVolume, "*", Node::kOtherSource},
    Rule{Node::kEmptyDir, "medium", Node::kMedium},
    Rule{Node::kEmptyDir, "sizeLimit", Node::kSizeLimit},
    Rule{Node::kContainers, "[]", Node::kContainer},
    Rule{Node::kInitContainers, "[]", Node::kContainer},
    Rule{Node::kContainer, "name", Node::kContainerName},
    Rule{Node::kContainer, "image", Node::kImage},
    Rule{Node::kContainer, "restartPolicy", Node::kRestartPolicy},
    Rule{Node::kContainer, "command", Node::kCommand},
    Rule{Node::kContainer, "args", Node::kArgs},
    Rule{Node::kContainer, "env", Node::kEnv},
    Rule{Node::kContainer, "envFrom", Node::kEnvFrom},
    Rule{Node::kContainer, "volumeMounts", Node::kMounts},
    Rule{Node::kContainer, "volumeDevices", Node::kDevices},
    Rule{Node::kContainer, "resources", Node::kResources},
    Rule{Node::kDevices, "[]", Node::kDevice},
    Rule{Node::kDevice, "devicePath", Node::kDevicePath},
    Rule{Node::kCommand, "[]", Node::kWord},
    Rule{Node::kArgs, "[]", Node::kWord},
    Rule{Node::kEnv, "[]", Node::kEnvVar},
    Rule{Node::kEnvVar, "name", Node::kEnvName},
    Rule{Node::kEnvVar, "value", Node::kEnvValue},
    Rule{Node::kEnvVar, "valueFrom", Node::kEnvSource},
    Rule{Node::kEnvFrom, "[]", Node::kEnvFromEntry},
    Rule{Node::kMounts, "[]", Node::kMount},
    Rule{Node::kMount, "name", Node::kMountName},
    Rule{Node::kMount, "mountPath", Node::kMountPath},
    Rule{Node::kMount, "readOnly", Node::kReadOnly},
    Rule{Node::kMount, "recursiveReadOnly", Node::kRecursiveReadOnly},
    Rule{Node::kMount, "subPath", Node::kSubPath},
    Rule{Node::kMount, "subPathExpr", Node::kSubPath},
    Rule{Node::kPodResources, "requests", Node::kRequests},
    Rule{Node::kPodResources, "limits", Node::kLimits},
    Rule{Node::kResources, "requests", Node::kRequests},
    Rule{Node::kResources, "limits", Node::kLimits},
    Rule{Node::kResources, "claims", Node::kClaims},
    Rule{Node::kRequests, "*", Node::kQuantity},
    Rule{Node::kLimits, "*", Node::kQuantity},
    Rule{Node::kClaims, "[]", Node::kClaim},
    Rule{Node::kClaim, "name", Node::kClaimName},
    Rule{Node::kClaim, "request", Node::kClaimRequest},
};

enum class Shape { kAnything, kObject, kList, kText, kBoolean, kQuantity };

inline Shape ShapeOf(Node node) {
  switch (node) {
    case Node::kSkip:
    case Node::kOtherSource:
      return Shape::kAnything;
    case Node::kPod:
    case Node::kMetadata:
    case Node::kLabels:
    case Node::kAnnotations:
    case Node::kOwner:
    case Node::kSpec:
    case Node::kOs:
    case Node::kPodClaim:
    case Node::kPodResources:
    case Node::kVolume:
    case Node::kEmptyDir:
    case Node::kHostPath:
    case Node::kVolumeClaim:
    case Node::kContainer:
    case Node::kEnvVar:
    case Node::kEnvSource:
    case Node::kEnvFromEntry:
    case Node::kMount:
    case Node::kDevice:
    case Node::kResources:
    case Node::kRequests:
    case Node::kLimits:
    case Node::kClaim:
      return Shape::kObject;
    case Node::kOwners:
    case Node::kPodClaims:
    case Node::kVolumes:
    case Node::kContainers:
    case Node::kInitContainers:
    case Node::kCommand:
    case Node::kArgs:
    case Node::kEnv:
    case Node::kEnvFrom:
    case Node::kMounts:
    case Node::kDevices:
    case Node::kClaims:
      return Shape::kList;
    case Node::kHostIpc:
    case Node::kReadOnly:
      return Shape::kBoolean;
    case Node::kSizeLimit:
    case Node::kQuantity:
      return Shape::kQuantity;
    default:
      return Shape::kText;
  }
}

// Texts that name something, or say one word or number of it: all but these, which hold what their
// author likes.
inline bool IsName(Node node) {
  switch (node) {
    case Node::kImage:
    case Node::kWord:
    case Node::kEnvName:
    case Node::kEnvValue:
    case Node::kMountPath:
    case Node::kSubPath:
    case Node::kDevicePath:
      return false;
    default:
      return true;
  }
}

inline constexpr std::size_t kNodes = static_cast<std::size_t>(Node::kClaimRequest) + 1;

// Where the rules of a parent stand in kRules.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;  // one behind
};

constexpr std::array<Range, kNodes> RangesOfRules() {
  std::array<Range, kNodes> ranges{};
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    Range& range = ranges[static_cast<std::size_t>(kRules[i].parent)];
    if (range.last == 0) range.first = i;
    range.last = i + 1;
  }
  return ranges;
}
inline constexpr std::array<Range, kNodes> kRanges = RangesOfRules();

constexpr bool RulesStandTogether() {
  std::size_t rules = 0;
  for (const Range& range : kRanges) rules += range.last - range.first;
  return rules == kRules.size();
}
static_assert(RulesStandTogether());

constexpr bool AnyOtherStandsLast() {
  for (const Range& range : kRanges) {
    for (std::size_t i = range.first; i + 1 < range.last; ++i) {
      if (kRules[i].key == "*") return false;
    }
  }
  return true;
}
static_assert(AnyOtherStandsLast());

inline Node Find(Node parent, std::string_view key) {
  const Range range = kRanges[static_cast<std::size_t>(parent)];
  if (range.first == range.last) return Node::kSkip;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const std::string_view rule = kRules[i].key;
    // Most differ in their length or their first letter: to compare the rest is a call.
    if (rule.size() == key.size() && rule.front() == key.front() && rule == key) {
      return kRules[i].child;
    }
  }
  const Rule& last = kRules[range.last - 1];
  return last.key == "*" ? last.child : Node::kSkip;
}

// What an element of a list is.
inline Node ElementOf(Node list) {
  const Range range = kRanges[static_cast<std::size_t>(list)];
  return range.first == range.last ? Node::kSkip : kRules[range.first].child;
}

// The key that leads to a node; empty for elements and values of a map.
inline std::string_view KeyOf(Node node) {
  for (const Rule& rule : kRules) {
    if (rule.child == node) return rule.key == "[]" || rule.key == "*" ? "" : rule.key;
  }
  return "";
}

}  // namespace pod_view_rules
}  // namespace shm
