#include "operator/world.h"

#include <utility>

#include "core/names.h"

namespace shm::controller {
namespace {

kube::ObjectKey ServiceOf(const PodRecord& pod) { return {pod.namespace_name, pod.service}; }

// A ReplicaSet is called DEPLOYMENT-HASH.
bool IsReplicaSetOf(const std::string& replica_set, const std::string& deployment) {
  return replica_set.size() > deployment.size() + 1 &&
         replica_set.compare(0, deployment.size(), deployment) == 0 &&
         replica_set[deployment.size()] == '-' &&
         replica_set.find('-', deployment.size() + 1) == std::string::npos;
}

}  // namespace

World::World(kube::Transport& transport, const std::vector<std::string>& namespaces,
             Changed changed, OnEvent on_event)
    : transport_(transport),
      watched_(namespaces),
      changed_(std::move(changed)),
      on_event_(std::move(on_event)) {
  const std::string tied = names::kServiceLabel;
  ListenToOwners();
  ListenToPods(labelled_pods_, /*by_label=*/true);
  ListenToPods(injected_pods_, /*by_label=*/false);
  Follow(services_, kube::InferenceServices(), "");
  Follow(deployments_, kube::Deployments(), tied);
  Follow(kube_services_, kube::Services(), tied);
  Follow(labelled_pods_, kube::Pods(), tied);
  Follow(injected_pods_, kube::Pods(), std::string(names::kInjectedLabel) + "=true,!" + tied);
  Follow(namespaces_, kube::Namespaces(), "");
  Follow(failures_, kube::Events(), "", "reason=FailedCreate,involvedObject.kind=ReplicaSet");
}

World::~World() { Stop(); }

template <typename T>
void World::Follow(kube::Store<T>& store, const kube::ResourceType& type,
                   const std::string& label_selector, const std::string& field_selector) {
  for (const kube::Scope& scope : kube::ScopesOf(type, watched_)) {
    kube::ReflectorOptions options;
    options.type = type;
    options.scope = scope;
    options.label_selector = label_selector;
    options.field_selector = field_selector;
    // What we have applied of a child is read from them.
    options.keep_managed_fields = type == kube::Deployments() || type == kube::Services();
    reflectors_.Add(std::make_unique<kube::Reflector>(
                        transport_, store.Part(scope), std::move(options),
                        [this, resource = type.plural, scope](const kube::ReflectorEvent& event) {
                          OnReflectorEvent(resource, scope, event);
                        }),
                    kube::ToleratedIn(scope));
  }
}

// A namespace may become complete long after the others, when somebody allows us to look at it:
// work on its InferenceServices begins with its last list.
void World::OnReflectorEvent(const std::string& resource, const kube::Scope& scope,
                             const kube::ReflectorEvent& event) const {
  on_event_(resource, scope, event);
  if (event.kind != kube::ReflectorEvent::Kind::kListed || scope == kube::Scope{}) return;
  const std::string& name = scope.name.empty() ? scope.namespace_name : scope.name;
  if (HasSynced(name)) AddAllOf(name, /*selectors_only=*/false);
}

bool World::HasSynced(const std::string& name_space) const {
  const kube::ObjectKey all{name_space, ""};
  return services_.HasSynced(all) && deployments_.HasSynced(all) && kube_services_.HasSynced(all) &&
         labelled_pods_.HasSynced(all) && injected_pods_.HasSynced(all) &&
         failures_.HasSynced(all) && namespaces_.HasSynced({"", name_space});
}

void World::ListenToOwners() {
  services_.AddListener([this](const kube::ObjectKey& key, const auto& before, const auto& after) {
    changed_(key);
    // Selectors overlap: one that comes, goes or changes may concern its neighbours.
    const auto selects = [](const auto& record) { return record && record->service.selector; };
    const bool same_generation =
        before && after && before->service.generation == after->service.generation;
    if (!same_generation && (selects(before) || selects(after))) {
      AddAllOf(key.namespace_name, /*selectors_only=*/true);
    }
  });
  // A child is called as its InferenceService.
  const auto child = [this](const kube::ObjectKey& key, const auto&, const auto&) {
    changed_(key);
  };
  deployments_.AddListener(child);
  kube_services_.AddListener(child);
  namespaces_.AddListener(
      [this](const kube::ObjectKey& key, const auto& before, const auto& after) {
        const bool same = before && after && before->enabled == after->enabled &&
                          before->annotations == after->annotations;
        if (!same) AddAllOf(key.name, /*selectors_only=*/false);
      });
  failures_.AddListener([this](const kube::ObjectKey&, const auto&, const auto& after) {
    if (!after) return;
    const auto dash = after->replica_set.rfind('-');
    if (dash != std::string::npos) {
      changed_({after->namespace_name, after->replica_set.substr(0, dash)});
    }
  });
}

void World::ListenToPods(kube::Store<PodRecord>& pods, bool by_label) {
  pods.AddListener(
      [this, by_label](const kube::ObjectKey& key, const auto& before, const auto& after) {
        const bool same = before && after && before->facts == after->facts &&
                          before->ended == after->ended && before->labels == after->labels;
        if (same) return;
        if (!by_label) {
          AddAllOf(key.namespace_name, /*selectors_only=*/true);
          return;
        }
        {
          MutexLock lock(mutex_);
          if (before) {
            const auto found = pods_by_service_.find(ServiceOf(*before));
            if (found != pods_by_service_.end()) {
              found->second.erase(key.name);
              if (found->second.empty()) pods_by_service_.erase(found);
            }
          }
          if (after) pods_by_service_[ServiceOf(*after)].insert(key.name);
        }
        if (before) changed_(ServiceOf(*before));
        if (after) changed_(ServiceOf(*after));
      });
}

void World::AddAllOf(const std::string& name_space, bool selectors_only) const {
  const auto listed = services_.List(name_space);
  for (const auto& record : *listed) {
    if (selectors_only && !record->service.selector) continue;
    changed_({record->service.namespace_name, record->service.name});
  }
}

void World::Start() { reflectors_.Start(); }

void World::Stop() { reflectors_.Stop(); }

bool World::HasSynced() const { return reflectors_.HasSynced(); }

bool World::Alive() const { return reflectors_.Alive(); }

std::shared_ptr<const ServiceRecord> World::Service(const kube::ObjectKey& key) const {
  if (!HasSynced(key.namespace_name)) return nullptr;
  return services_.Get(key.namespace_name, key.name);
}

std::shared_ptr<const ChildRecord> World::Deployment(const kube::ObjectKey& key) const {
  return deployments_.Get(key.namespace_name, key.name);
}

std::shared_ptr<const ChildRecord> World::KubeService(const kube::ObjectKey& key) const {
  return kube_services_.Get(key.namespace_name, key.name);
}

std::shared_ptr<const NamespaceRecord> World::Namespace(const std::string& name) const {
  return namespaces_.Get("", name);
}

std::vector<std::shared_ptr<const ServiceRecord>> World::ServicesIn(const std::string& name) const {
  return *services_.List(name);
}

std::vector<kube::ObjectKey> World::ServiceKeys() const {
  std::vector<kube::ObjectKey> keys;
  for (const auto& record : services_.All()) {
    keys.push_back({record->service.namespace_name, record->service.name});
  }
  return keys;
}

ServicePods World::PodsOf(const InferenceService& service) const {
  ServicePods pods;
  const auto add = [&pods](const std::shared_ptr<const PodRecord>& pod) {
    if (pod && pod->going) ++pods.going;
    if (pod && !pod->ended) pods.pods.push_back(pod->facts);
  };
  std::set<std::string> tied;
  {
    MutexLock lock(mutex_);
    const auto found = pods_by_service_.find({service.namespace_name, service.name});
    if (found != pods_by_service_.end()) tied = found->second;
  }
  for (const std::string& name : tied) add(labelled_pods_.Get(service.namespace_name, name));
  for (const auto& pod : SelectedPods(service)) add(pod);
  return pods;
}

std::vector<std::shared_ptr<const PodRecord>> World::SelectedPods(
    const InferenceService& service) const {
  std::vector<std::shared_ptr<const PodRecord>> selected;
  if (!service.selector) return selected;
  const auto listed = injected_pods_.List(service.namespace_name);
  for (const auto& pod : *listed) {
    if (service.selector->Matches(pod->labels)) selected.push_back(pod);
  }
  return selected;
}

std::string World::CreationFailure(const kube::ObjectKey& deployment) const {
  std::shared_ptr<const FailureRecord> last;
  const auto listed = failures_.List(deployment.namespace_name);
  for (const auto& failure : *listed) {
    if (!IsReplicaSetOf(failure->replica_set, deployment.name)) continue;
    if (!last || failure->last_seen > last->last_seen) last = failure;
  }
  return last ? last->message : "";
}

}  // namespace shm::controller
