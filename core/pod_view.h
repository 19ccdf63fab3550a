// What the mutation needs to know of a pod: facts, indices, and what is present. Nothing else of
// the pod is kept, so that it is never written back (trap A4).
//
// Filled by PodViewBuilder (core/pod_view_builder.h) from JSON events; a document is walked into
// the same events, so that both give the same view. JSON null counts as absent, as it does to the
// API server; an `add` of JSON Patch replaces it.
//
// Plain values; safe to share between threads while nobody writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/env_view.h"
#include "core/result.h"
#include "core/string_map.h"

namespace shm {

// A resource list as the pod has it: resource name to the quantity's text.
using ResourceList = StringMap;

// What a container has of a claim of its pod (Dynamic Resource Allocation).
struct ClaimUseView {
  std::string claim;    // a name in spec.resourceClaims
  std::string request;  // the one request of it; empty: all
  friend bool operator==(const ClaimUseView&, const ClaimUseView&) = default;
};

struct ResourcesView {
  bool present = false;
  std::optional<ResourceList> requests;
  std::optional<ResourceList> limits;
  std::vector<ClaimUseView> claims;  // of containers; spec.resources has none
  friend bool operator==(const ResourcesView&, const ResourcesView&) = default;
};

struct MountView {
  std::string volume;
  std::string path;                  // cleaned: absolute, no "//", no "/" at the end
  bool read_only = false;            // readOnly is true
  bool recursive_read_only = false;  // recursiveReadOnly is present
  bool sub_path = false;             // subPath or subPathExpr is set
  friend bool operator==(const MountView&, const MountView&) = default;
};

struct ContainerView {
  std::string name;
  std::string image;
  std::size_t index = 0;  // in its list
  bool init = false;      // of initContainers, else of containers
  bool sidecar = false;   // an init container that goes on running (restartPolicy Always)
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::optional<std::vector<EnvVar>> env;
  bool has_env_from = false;  // a list with entries
  std::optional<std::vector<MountView>> mounts;
  std::vector<std::string> device_paths;  // of volumeDevices, cleaned
  ResourcesView resources;

  // Runs beside the others, rather than before them.
  bool runs() const { return !init || sidecar; }
  const MountView* MountAt(std::string_view path) const;  // null: none; else the first
  friend bool operator==(const ContainerView&, const ContainerView&) = default;
};

struct VolumeView {
  enum class Kind { kMemory, kDisk, kHostPath, kClaim, kOther };  // kMemory, kDisk: emptyDir
  std::string name;
  Kind kind = Kind::kDisk;                // no source at all is an emptyDir on disk
  std::optional<std::string> size_limit;  // of an emptyDir, as text
  friend bool operator==(const VolumeView&, const VolumeView&) = default;
};
std::string_view VolumeKindName(VolumeView::Kind kind);

// An entry of spec.resourceClaims: exactly one of the two names is set where the pod is valid.
struct PodClaimView {
  std::string name;
  std::string claim_name;     // of a ResourceClaim that exists on its own
  std::string template_name;  // of a ResourceClaimTemplate; each entry makes a claim of its own
  friend bool operator==(const PodClaimView&, const PodClaimView&) = default;
};

struct OwnerView {
  std::string kind;
  std::string name;
  friend bool operator==(const OwnerView&, const OwnerView&) = default;
};

struct PodView {
  bool has_metadata = false;
  std::string name;
  std::string generate_name;
  std::string namespace_name;  // may be missing (trap A8)
  std::optional<StringMap> labels;
  std::optional<StringMap> annotations;
  std::vector<OwnerView> owners;

  std::optional<std::vector<VolumeView>> volumes;
  std::vector<ContainerView> init_containers;
  std::vector<ContainerView> containers;
  ResourcesView resources;  // of the pod itself
  std::vector<PodClaimView> resource_claims;
  bool host_ipc = false;
  std::string os;  // spec.os.name

  // What the controller of the pod's workload will add: set by who reads a template (the command
  // line), never read from a pod, which has it already.
  StringMap coming_labels;
  std::optional<int> coming_nodes;  // pods that one replica spans, 1 to 1024

  // The value; null where there is none.
  const std::string* Label(std::string_view key) const;
  const std::string* Annotation(std::string_view key) const;
  // The volume's place in the list; nothing where there is none of that name.
  std::optional<std::size_t> FindVolume(std::string_view volume_name) const;
  friend bool operator==(const PodView&, const PodView&) = default;
};

inline constexpr std::size_t kMaxPodDepth = 512;  // nested objects and arrays
// Of containers and init containers, and of what is read of lists and maps in all: so a view takes
// some megabytes at the most. No node runs such a pod; one of 3 MB of variables has 23,000.
inline constexpr std::size_t kMaxPodContainers = 1'000;
inline constexpr std::size_t kMaxPodEntries = 30'000;
// Of one list of requests, limits or claims, and of a name's bytes: no API server takes a longer
// one.
inline constexpr std::size_t kMaxPodResources = 1'000;
inline constexpr std::size_t kMaxNameBytes = 1'024;

// Reads a pod, or a pod template (metadata and spec alone). An Error: no JSON, a value of a type
// that the API server would refuse too (its field is named), a depth of more than kMaxPodDepth,
// a name longer than kMaxNameBytes, more than kMaxPodContainers, kMaxPodEntries or
// kMaxPodResources, or no container.
Result<PodView> ReadPod(std::string_view json_text);
Result<PodView> ReadPodDocument(const nlohmann::json& document);

// A mount path as the kubelet understands it: "/dev//shm/", "dev/shm" and "/dev/./shm" are
// "/dev/shm" (trap A6). As Go's path.Clean; an empty path stays empty.
std::string CleanPath(std::string_view path);

}  // namespace shm
