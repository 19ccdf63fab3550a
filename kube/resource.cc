#include "kube/resource.h"

namespace shm::kube {

const ResourceType& Pods() {
  static const ResourceType type{"", "v1", "pods", "Pod"};
  return type;
}
const ResourceType& Services() {
  static const ResourceType type{"", "v1", "services", "Service"};
  return type;
}
const ResourceType& Secrets() {
  static const ResourceType type{"", "v1", "secrets", "Secret"};
  return type;
}
const ResourceType& Namespaces() {
  static const ResourceType type{"", "v1", "namespaces", "Namespace", false};
  return type;
}
const ResourceType& Events() {
  static const ResourceType type{"", "v1", "events", "Event"};
  return type;
}
const ResourceType& Deployments() {
  static const ResourceType type{"apps", "v1", "deployments", "Deployment"};
  return type;
}
const ResourceType& ReplicaSets() {
  static const ResourceType type{"apps", "v1", "replicasets", "ReplicaSet"};
  return type;
}
const ResourceType& Leases() {
  static const ResourceType type{"coordination.k8s.io", "v1", "leases", "Lease"};
  return type;
}
const ResourceType& MutatingWebhookConfigurations() {
  static const ResourceType type{"admissionregistration.k8s.io", "v1",
                                 "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
                                 false};
  return type;
}
const ResourceType& InferenceServices() {
  static const ResourceType type{"shm-operator.dev", "v1alpha1", "inferenceservices",
                                 "InferenceService"};
  return type;
}
const ResourceType& ResourceClaimTemplates() {
  static const ResourceType type{"resource.k8s.io", "v1", "resourceclaimtemplates",
                                 "ResourceClaimTemplate"};
  return type;
}

std::string ObjectKey::ToString() const {
  return namespace_name.empty() ? name : namespace_name + "/" + name;
}

std::string CollectionPath(const ResourceType& type, std::string_view namespace_name) {
  std::string path = type.group.empty() ? "/api/" : "/apis/" + type.group + "/";
  path += type.version;
  if (type.namespaced && !namespace_name.empty()) {
    path += "/namespaces/" + PercentEncode(namespace_name);
  }
  return path + "/" + type.plural;
}

std::string ObjectPath(const ResourceType& type, const ObjectKey& key,
                       std::string_view subresource) {
  std::string path = CollectionPath(type, key.namespace_name) + "/" + PercentEncode(key.name);
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool digit = byte >= '0' && byte <= '9';
    if (letter || digit || byte == '-' || byte == '.' || byte == '_' || byte == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

std::string QueryString(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += PercentEncode(name) + "=" + PercentEncode(value);
  }
  return query;
}

}  // namespace shm::kube
