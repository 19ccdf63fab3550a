// Everything the operator watches, and which InferenceServices a change concerns.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/mutex.h"
#include "kube/reflector_set.h"
#include "kube/store.h"
#include "operator/records.h"

namespace shm::controller {

// The pods of an InferenceService that have not ended, and how many of it are being deleted.
struct ServicePods {
  std::vector<PodFacts> pods;
  int going = 0;
};

// Thread-safe once started. `transport` must outlive it.
class World {
 public:
  // `changed` is called with the key of each InferenceService that a change may concern, on the
  // threads of the reflectors.
  using Changed = std::function<void(const kube::ObjectKey& service)>;
  using OnEvent = std::function<void(const std::string& resource, const kube::Scope& scope,
                                     const kube::ReflectorEvent&)>;

  // Watches `namespaces` alone, one by one; all where there are none. Of a namespace that it is not
  // allowed to look at (or not any more) the rest does not suffer: nothing is known of it.
  World(kube::Transport& transport, const std::vector<std::string>& namespaces, Changed changed,
        OnEvent on_event);
  ~World();

  void Start();
  void Stop();
  // Of all namespaces that it is allowed to look at.
  bool HasSynced() const;
  bool Alive() const;
  // Watches that the API server does not allow.
  std::size_t Refused() const { return reflectors_.Refused(); }

  // Null also while not all is listed that belongs to its namespace: nothing is to be decided by
  // half of that. `changed` tells when it is.
  std::shared_ptr<const ServiceRecord> Service(const kube::ObjectKey& key) const;
  std::shared_ptr<const ChildRecord> Deployment(const kube::ObjectKey& key) const;
  std::shared_ptr<const ChildRecord> KubeService(const kube::ObjectKey& key) const;
  std::shared_ptr<const NamespaceRecord> Namespace(const std::string& name) const;
  std::vector<std::shared_ptr<const ServiceRecord>> ServicesIn(const std::string& name) const;
  std::vector<kube::ObjectKey> ServiceKeys() const;
  std::size_t ServiceCount() const { return services_.Size(); }

  // Pods that are tied to the InferenceService by label, or injected and matched by its selector.
  // Those that match and are not injected no watch follows: see unwatched_pods.h.
  ServicePods PodsOf(const InferenceService& service) const;

  // Of those, the ones that its selector matches, ended or not; none where it has no selector.
  std::vector<std::shared_ptr<const PodRecord>> SelectedPods(const InferenceService& service) const;

  // The last message about a pod of this Deployment that could not be created; or "".
  std::string CreationFailure(const kube::ObjectKey& deployment) const;

 private:
  template <typename T>
  void Follow(kube::Store<T>& store, const kube::ResourceType& type,
              const std::string& label_selector, const std::string& field_selector = "");
  void OnReflectorEvent(const std::string& resource, const kube::Scope& scope,
                        const kube::ReflectorEvent& event) const;
  bool HasSynced(const std::string& name_space) const;
  void ListenToOwners();
  void ListenToPods(kube::Store<PodRecord>& pods, bool by_label);
  void AddAllOf(const std::string& name_space, bool selectors_only) const;

  kube::Transport& transport_;
  const std::vector<std::string> watched_;  // empty: all
  const Changed changed_;
  const OnEvent on_event_;
  kube::Store<ServiceRecord> services_{ParseServiceRecord};
  kube::Store<ChildRecord> deployments_{ParseDeployment};
  kube::Store<ChildRecord> kube_services_{ParseService};
  // Two watches, since a label selector knows no "or": tied by label, and injected by a selector.
  kube::Store<PodRecord> labelled_pods_{ParsePod};
  kube::Store<PodRecord> injected_pods_{ParsePod};
  kube::Store<NamespaceRecord> namespaces_{ParseNamespace};
  kube::Store<FailureRecord> failures_{ParseFailure};

  // Names of labelled pods by InferenceService, so that one of many is found without a search.
  mutable Mutex mutex_;
  std::map<kube::ObjectKey, std::set<std::string>> pods_by_service_ SHM_GUARDED_BY(mutex_);

  kube::ReflectorSet reflectors_;  // last: they end first
};

}  // namespace shm::controller
