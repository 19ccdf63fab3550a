// What a Reflector tells of the objects that it follows.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube/resource.h"

namespace shm::kube {

// Called from the reflector's thread only.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;

  // A list begins, or begins anew: what an unfinished one showed counts for nothing. Until EndList
  // the other calls speak of the list.
  virtual void BeginList() = 0;

  // An object as it is now, from a list or a watch. A streamed list may show it more than once.
  virtual void Upsert(const ObjectKey& key, const nlohmann::json& object) = 0;

  // It was deleted. A streamed list may say so of what it showed before.
  virtual void Remove(const ObjectKey& key) = 0;

  // The list is complete: objects that it did not show are gone (trap W2), and what it showed is
  // what there is.
  virtual void EndList() = 0;
};

// Of an object's metadata; empty strings where they are missing.
struct ObjectVersion {
  std::string uid;
  std::string resource_version;  // opaque
};
ObjectVersion VersionOf(const nlohmann::json& object);
ObjectKey KeyOf(const nlohmann::json& object);

}  // namespace shm::kube
