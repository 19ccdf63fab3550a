#include "core/volume_plan.h"

#include <algorithm>

#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

using Kind = VolumeView::Kind;

// What a container has at /dev/shm.
struct Present {
  const ContainerView* container;
  bool has_gpus;
  const MountView* mount;             // null: nothing
  std::optional<std::size_t> memory;  // the memory-backed volume that is mounted; else foreign
  bool device = false;                // a block device stands there
  bool foreign() const { return device || (mount && !memory); }
};

bool Contains(const std::vector<const ContainerView*>& list, const ContainerView* container) {
  return std::find(list.begin(), list.end(), container) != list.end();
}

Present Look(const PodView& pod, const ContainerView& container, bool has_gpus) {
  Present present{&container, has_gpus, container.MountAt(names::kMountPath), std::nullopt};
  const auto& devices = container.device_paths;
  present.device = std::find(devices.begin(), devices.end(), names::kMountPath) != devices.end();
  if (!present.mount) return present;
  const auto volume = pod.FindVolume(present.mount->volume);
  if (volume && (*pod.volumes)[*volume].kind == Kind::kMemory) present.memory = volume;
  return present;
}

// The containers whose /dev/shm is ours to see to: all that run, and init containers with GPUs.
std::vector<Present> LookAll(const PodView& pod, const GpuContainers& gpus, MountScope scope) {
  std::vector<Present> all;
  const auto look = [&](const std::vector<ContainerView>& list) {
    for (const ContainerView& container : list) {
      const bool has_gpus =
          Contains(gpus.containers, &container) || Contains(gpus.init, &container);
      const bool wanted = scope == MountScope::kPod && container.runs();
      if (has_gpus || wanted) all.push_back(Look(pod, container, has_gpus));
    }
  };
  look(pod.containers);
  look(pod.init_containers);
  return all;
}

std::string KindAt(const PodView& pod, const MountView& mount) {
  const auto volume = pod.FindVolume(mount.volume);
  return volume ? std::string(VolumeKindName((*pod.volumes)[*volume].kind)) : "missing volume";
}

void NoteForeign(const PodView& pod, const std::vector<Present>& all, Notes* notes) {
  for (const Present& present : all) {
    if (!present.foreign()) continue;
    if (present.device) {
      notes->push_back({Reason::kForeignVolume, "container " + present.container->name +
                                                    " has a block device at /dev/shm, which is "
                                                    "left alone"});
      continue;
    }
    notes->push_back({Reason::kForeignVolume, "container " + present.container->name + " has the " +
                                                  KindAt(pod, *present.mount) + " \"" +
                                                  present.mount->volume +
                                                  "\" at /dev/shm, which is left alone"});
  }
}

// The volume that those without one are to share: that of the first GPU container, else that of
// any container, else the one of our name.
std::optional<std::size_t> FindShared(const PodView& pod, const std::vector<Present>& all) {
  for (const bool gpus_only : {true, false}) {
    for (const Present& present : all) {
      if (present.memory && (present.has_gpus || !gpus_only)) return present.memory;
    }
  }
  const auto own = pod.FindVolume(names::kVolume);
  if (own && (*pod.volumes)[*own].kind == Kind::kMemory) return own;
  return std::nullopt;
}

void PlanSize(const PodView& pod, std::size_t index, std::int64_t size, VolumePlan* plan) {
  const VolumeView& volume = (*pod.volumes)[index];
  const auto limit =
      volume.size_limit ? ParseQuantity(*volume.size_limit) : Result<std::int64_t>(0);
  if (!limit.ok()) {
    // Above what fits 64 bits, or nothing that the API server would take.
    plan->notes.push_back({Reason::kLargerVolumeKept, "the volume \"" + volume.name +
                                                          "\" stays at its sizeLimit " +
                                                          volume.size_limit->substr(0, 64)});
    return;
  }
  const std::int64_t present = *limit;  // 0: no limit, to the kubelet
  if (present < size) {
    plan->set_size.push_back(index);
    plan->was_unlimited = plan->was_unlimited || present == 0;
  } else if (present > size) {
    plan->notes.push_back(
        {Reason::kLargerVolumeKept, "the volume \"" + volume.name + "\" stays at its sizeLimit " +
                                        FormatBytes(present) + ", above " + FormatBytes(size)});
  }
}

// Sizes of every memory-backed volume that a GPU container has there, and of the shared one.
void PlanSizes(const PodView& pod, const std::vector<Present>& all, std::size_t shared,
               std::int64_t size, VolumePlan* plan) {
  std::vector<std::size_t> volumes = {shared};
  for (const Present& present : all) {
    if (present.memory && present.has_gpus) volumes.push_back(*present.memory);
  }
  std::sort(volumes.begin(), volumes.end());
  volumes.erase(std::unique(volumes.begin(), volumes.end()), volumes.end());
  for (const std::size_t volume : volumes) PlanSize(pod, volume, size, plan);
}

void PlanWritable(const std::vector<Present>& all, VolumePlan* plan) {
  for (const Present& present : all) {
    if (!present.memory || !present.mount->read_only) continue;
    const auto index = present.mount - present.container->mounts->data();
    plan->make_writable.emplace_back(present.container, static_cast<std::size_t>(index));
    plan->notes.push_back({Reason::kReadOnlyRemoved, "container " + present.container->name +
                                                         " had /dev/shm mounted read-only"});
  }
}

// NCCL takes processes that see different devices at /dev/shm for processes on different hosts
// (trap S8).
void NoteSplit(const std::vector<Present>& all, std::optional<std::size_t> shared,
               VolumePlan* plan) {
  const auto apart = [shared](const Present& present) {
    return present.has_gpus && present.mount && (!shared || present.memory != shared);
  };
  const auto gpus = std::count_if(all.begin(), all.end(),
                                  [](const Present& present) { return present.has_gpus; });
  const auto found = std::find_if(all.begin(), all.end(), apart);
  if (gpus < 2 || found == all.end()) return;
  plan->notes.push_back({Reason::kSplitSharedMemory,
                         "container " + found->container->name +
                             " has another volume at /dev/shm than the other GPU containers: "
                             "NCCL cannot use shared memory between them"});
}

VolumePlan LeaveAlone(Reason reason, const std::string& message) {
  VolumePlan plan;
  plan.left_alone = reason;
  plan.notes.push_back({reason, message});
  return plan;
}

// With hostIPC a container gets the node's /dev/shm unless it mounts something there itself:
// containerd adds the node's only where the container has no mount (containerd/containerd
// internal/cri/server/container_create.go, linuxContainerMounts), and CRI-O lets the container's
// mounts come after it (cri-o/cri-o server/container_create_linux.go). Takes those that see the
// node's out of `all`; whether there are any with GPUs.
bool TakeOutHosts(std::vector<Present>* all, Notes* notes) {
  bool any = false;
  for (const Present& present : *all) {
    if (present.mount || !present.has_gpus) continue;
    any = true;
    notes->push_back({Reason::kHostIpc, "with hostIPC container " + present.container->name +
                                            " has the /dev/shm of its node, which is left alone"});
  }
  all->erase(std::remove_if(all->begin(), all->end(),
                            [](const Present& present) { return !present.mount; }),
             all->end());
  return any;
}

std::optional<VolumePlan> FindObstacle(const PodView& pod) {
  if (const std::string* size = pod.Annotation(names::kCrioShmSizeAnnotation)) {
    return LeaveAlone(Reason::kCrioAnnotation, "the annotation " +
                                                   std::string(names::kCrioShmSizeAnnotation) +
                                                   " has CRI-O "
                                                   "make /dev/shm " +
                                                   size->substr(0, 64) + ", which is left alone");
  }
  return std::nullopt;
}

bool OnlyForeign(const std::vector<Present>& all) {
  const auto own = [](const Present& present) {
    return present.has_gpus && present.container->runs() && !present.foreign();
  };
  return std::none_of(all.begin(), all.end(), own);
}

}  // namespace

VolumePlan PlanVolume(const PodView& pod, const GpuContainers& gpus, MountScope scope,
                      std::int64_t size) {
  if (auto obstacle = FindObstacle(pod)) return *obstacle;
  std::vector<Present> all = LookAll(pod, gpus, scope);
  VolumePlan plan;
  const bool hosts = pod.host_ipc && TakeOutHosts(&all, &plan.notes);
  NoteForeign(pod, all, &plan.notes);
  if (OnlyForeign(all)) {
    plan.left_alone = hosts ? Reason::kHostIpc : Reason::kForeignVolume;
    return plan;
  }

  const auto shared = FindShared(pod, all);
  if (!shared && pod.FindVolume(names::kVolume)) {
    return LeaveAlone(Reason::kVolumeNameTaken,
                      "the pod's volume " + std::string(names::kVolume) +
                          " is no memory-backed emptyDir, and its name is needed");
  }
  plan.add_volume = !shared;
  plan.volume = shared ? (*pod.volumes)[*shared].name : names::kVolume;
  if (shared) PlanSizes(pod, all, *shared, size, &plan);
  for (const Present& present : all) {
    if (!present.mount && !present.device) plan.mount_into.push_back(present.container);
  }
  PlanWritable(all, &plan);
  NoteSplit(all, shared, &plan);
  return plan;
}

}  // namespace shm
