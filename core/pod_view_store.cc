// PodViewBuilder: where each value goes in the view.
#include <cstddef>

#include "core/pod_view_builder.h"
#include "core/pod_view_rules.h"

namespace shm {
namespace {

// Of what engines usually have: their vectors do not grow step by step.
constexpr std::size_t kUsualArguments = 8;
constexpr std::size_t kUsualVariables = 24;
constexpr std::size_t kUsualMounts = 4;

}  // namespace

// Makes a part absent: it is null, or it comes a second time.
void PodViewBuilder::Clear(Node node) {
  switch (node) {
    case Node::kMetadata:
      view_.has_metadata = false;
      view_.name.clear();
      view_.generate_name.clear();
      view_.namespace_name.clear();
      view_.labels.reset();
      view_.annotations.reset();
      view_.owners.clear();
      break;
    case Node::kSpec:
      view_.volumes.reset();
      view_.init_containers.clear();
      view_.containers.clear();
      view_.resources = {};
      view_.resource_claims.clear();
      view_.host_ipc = false;
      view_.os.clear();
      break;
    case Node::kLabels:
      view_.labels.reset();
      break;
    case Node::kAnnotations:
      view_.annotations.reset();
      break;
    case Node::kOwners:
      view_.owners.clear();
      break;
    case Node::kHostIpc:
      view_.host_ipc = false;
      break;
    case Node::kOs:
      view_.os.clear();
      break;
    case Node::kPodClaims:
      view_.resource_claims.clear();
      break;
    case Node::kPodResources:
      view_.resources = {};
      break;
    case Node::kVolumes:
      view_.volumes.reset();
      break;
    case Node::kSizeLimit:
      view_.volumes->back().size_limit.reset();
      break;
    case Node::kContainers:
      view_.containers.clear();
      break;
    case Node::kInitContainers:
      view_.init_containers.clear();
      break;
    case Node::kCommand:
      container().command.clear();
      break;
    case Node::kArgs:
      container().args.clear();
      break;
    case Node::kEnv:
      container().env.reset();
      break;
    case Node::kEnvSource:
      container().env->back().from_source = false;
      break;
    case Node::kEnvFrom:
      container().has_env_from = false;
      break;
    case Node::kMounts:
      container().mounts.reset();
      break;
    case Node::kDevices:
      container().device_paths.clear();
      break;
    case Node::kReadOnly:
      container().mounts->back().read_only = false;
      break;
    case Node::kResources:
      container().resources = {};
      break;
    case Node::kRequests:
      resources_->requests.reset();
      break;
    case Node::kLimits:
      resources_->limits.reset();
      break;
    case Node::kClaims:
      resources_->claims.clear();
      break;
    default:
      break;
  }
}

// An object or a list starts: its part is there, and empty.
void PodViewBuilder::Begin(Node node) {
  Clear(node);
  switch (node) {
    case Node::kMetadata:
      view_.has_metadata = true;
      break;
    case Node::kLabels:
      map_ = &view_.labels.emplace();
      break;
    case Node::kAnnotations:
      map_ = &view_.annotations.emplace();
      break;
    case Node::kOwner:
      view_.owners.emplace_back();
      break;
    case Node::kPodClaim:
      view_.resource_claims.emplace_back();
      break;
    case Node::kVolumes:
      view_.volumes.emplace().reserve(kUsualMounts);
      break;
    case Node::kVolume:
      view_.volumes->emplace_back();
      break;
    case Node::kEmptyDir:
      view_.volumes->back().kind = VolumeView::Kind::kDisk;
      view_.volumes->back().size_limit.reset();
      break;
    case Node::kHostPath:
      view_.volumes->back().kind = VolumeView::Kind::kHostPath;
      break;
    case Node::kVolumeClaim:
      view_.volumes->back().kind = VolumeView::Kind::kClaim;
      break;
    case Node::kOtherSource:
      view_.volumes->back().kind = VolumeView::Kind::kOther;
      break;
    case Node::kContainers:
      in_init_ = false;
      break;
    case Node::kInitContainers:
      in_init_ = true;
      break;
    case Node::kContainer: {
      auto& list = in_init_ ? view_.init_containers : view_.containers;
      list.emplace_back();
      list.back().init = in_init_;
      list.back().index = list.size() - 1;
      break;
    }
    case Node::kCommand:
      texts_ = &container().command;
      break;
    case Node::kArgs:
      texts_ = &container().args;
      texts_->reserve(kUsualArguments);
      break;
    case Node::kEnv:
      container().env.emplace().reserve(kUsualVariables);
      break;
    case Node::kEnvVar:
      container().env->emplace_back();
      break;
    case Node::kEnvSource:
      container().env->back().from_source = true;
      break;
    case Node::kEnvFromEntry:
      container().has_env_from = true;
      break;
    case Node::kMounts:
      container().mounts.emplace().reserve(kUsualMounts);
      break;
    case Node::kMount:
      container().mounts->emplace_back();
      break;
    case Node::kPodResources:
      resources_ = &view_.resources;
      resources_->present = true;
      break;
    case Node::kResources:
      resources_ = &container().resources;
      resources_->present = true;
      break;
    case Node::kRequests:
      map_ = &resources_->requests.emplace();
      break;
    case Node::kLimits:
      map_ = &resources_->limits.emplace();
      break;
    case Node::kClaim:
      resources_->claims.emplace_back();
      break;
    default:
      break;
  }
}

void PodViewBuilder::SetText(Node node, std::string_view text) {
  switch (node) {
    case Node::kName:
      view_.name = text;
      break;
    case Node::kGenerateName:
      view_.generate_name = text;
      break;
    case Node::kNamespace:
      view_.namespace_name = text;
      break;
    case Node::kMapText:
    case Node::kQuantity:
      (*map_)[key_] = text;
      break;
    case Node::kOwnerKind:
      view_.owners.back().kind = text;
      break;
    case Node::kOwnerName:
      view_.owners.back().name = text;
      break;
    case Node::kOsName:
      view_.os = text;
      break;
    case Node::kPodClaimName:
      view_.resource_claims.back().name = text;
      break;
    case Node::kPodClaimClaim:
      view_.resource_claims.back().claim_name = text;
      break;
    case Node::kPodClaimTemplate:
      view_.resource_claims.back().template_name = text;
      break;
    case Node::kVolumeName:
      view_.volumes->back().name = text;
      break;
    case Node::kMedium:
      // HugePages is neither.
      view_.volumes->back().kind = text == "Memory" ? VolumeView::Kind::kMemory
                                   : text.empty()   ? VolumeView::Kind::kDisk
                                                    : VolumeView::Kind::kOther;
      break;
    case Node::kSizeLimit:
      view_.volumes->back().size_limit = text;
      break;
    default:
      SetContainerText(node, text);
      break;
  }
}

void PodViewBuilder::SetContainerText(Node node, std::string_view text) {
  switch (node) {
    case Node::kContainerName:
      container().name = text;
      break;
    case Node::kImage:
      container().image = text;
      break;
    case Node::kRestartPolicy:
      container().sidecar = in_init_ && text == "Always";
      break;
    case Node::kWord:
      texts_->emplace_back(text);
      break;
    case Node::kEnvName:
      container().env->back().name = text;
      break;
    case Node::kEnvValue:
      container().env->back().value = text;
      break;
    case Node::kMountName:
      container().mounts->back().volume = text;
      break;
    case Node::kMountPath:
      container().mounts->back().path = CleanPath(text);
      break;
    case Node::kDevicePath:
      container().device_paths.push_back(CleanPath(text));
      break;
    case Node::kClaimName:
      resources_->claims.back().claim = text;
      break;
    case Node::kClaimRequest:
      resources_->claims.back().request = text;
      break;
    case Node::kRecursiveReadOnly:
      container().mounts->back().recursive_read_only = !text.empty();
      break;
    case Node::kSubPath:
      if (!text.empty()) container().mounts->back().sub_path = true;
      break;
    default:
      break;
  }
}

}  // namespace shm
