// Which kind of object, and its paths on an API server.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shm::kube {

// A group, version and resource.
struct ResourceType {
  std::string group{};  // empty: the core group
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;

  // "apps/v1", "v1".
  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  friend bool operator==(const ResourceType&, const ResourceType&) = default;
};

// Those that the programs use. Each call returns the same object.
const ResourceType& Pods();
const ResourceType& Services();
const ResourceType& Secrets();
const ResourceType& Namespaces();
const ResourceType& Events();  // core/v1
const ResourceType& Deployments();
const ResourceType& ReplicaSets();
const ResourceType& Leases();
const ResourceType& MutatingWebhookConfigurations();
const ResourceType& InferenceServices();       // shm-operator.dev/v1alpha1
const ResourceType& ResourceClaimTemplates();  // resource.k8s.io/v1, since Kubernetes 1.34

// An object's place. `namespace_name` is empty for cluster-scoped objects. Orders by namespace,
// then name.
struct ObjectKey {
  std::string namespace_name;
  std::string name;

  // "namespace/name", or the name alone.
  std::string ToString() const;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
};

// "/apis/apps/v1/namespaces/NS/deployments". An empty namespace means all of them.
std::string CollectionPath(const ResourceType& type, std::string_view namespace_name);

// "/apis/apps/v1/namespaces/NS/deployments/NAME[/SUBRESOURCE]".
std::string ObjectPath(const ResourceType& type, const ObjectKey& key,
                       std::string_view subresource = {});

// RFC 3986: everything but unreserved characters becomes %XX.
std::string PercentEncode(std::string_view text);

// "?a=b&c=d" of the pairs whose value is not empty; empty if there are none.
std::string QueryString(const std::vector<std::pair<std::string, std::string>>& parameters);

}  // namespace shm::kube

// For unordered containers.
template <>
struct std::hash<shm::kube::ObjectKey> {
  std::size_t operator()(const shm::kube::ObjectKey& key) const noexcept {
    const std::size_t first = std::hash<std::string>{}(key.namespace_name);
    return first * 1000003u ^ std::hash<std::string>{}(key.name);
  }
};
