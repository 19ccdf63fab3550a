// An API server's memory: objects by path, with resourceVersions and conflicts.
#pragma once

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/mutex.h"
#include "kube/api.h"

namespace shm::kube::testing {

inline ApiError Fault(ErrorReason reason) {
  ApiError error;
  error.reason = reason;
  error.message = "scripted";
  return error;
}

// Thread-safe. Apply and Patch merge; List has one page.
class FakeApi : public Api {
 public:
  using Json = nlohmann::json;

  // The next call of all fails with `reason`; if `after`, its effect takes place all the same.
  void FailNext(ErrorReason reason, bool after = false) {
    MutexLock lock(mutex_);
    faults_.push_back({reason, after});
  }
  std::vector<std::string> Calls() const {
    MutexLock lock(mutex_);
    return calls_;
  }
  std::optional<Json> Peek(const ResourceType& type, const ObjectKey& key) const {
    MutexLock lock(mutex_);
    const auto found = objects_.find(ObjectPath(type, key));
    return found == objects_.end() ? std::nullopt : std::optional<Json>(found->second);
  }

  ApiResult<Json> Get(const ResourceType& type, const ObjectKey& key) override {
    return Do("get", ObjectPath(type, key), [](Json* stored) -> ApiResult<Json> {
      if (stored == nullptr) return Fault(ErrorReason::kNotFound);
      return *stored;
    });
  }
  ApiResult<std::string> List(const ResourceType& type, const std::string& namespace_name,
                              const ListOptions&,
                              const std::function<void(Json&&)>& each) override {
    const std::string prefix = CollectionPath(type, namespace_name) + "/";
    MutexLock lock(mutex_);
    calls_.push_back("list " + prefix);
    for (const auto& [path, object] : objects_) {
      if (path.compare(0, prefix.size(), prefix) == 0) each(Json(object));
    }
    return std::to_string(version_);
  }
  ApiResult<Json> Create(const ResourceType& type, const std::string& namespace_name,
                         const Json& object, const WriteOptions&) override {
    const ObjectKey key{namespace_name, object["metadata"]["name"].get<std::string>()};
    const std::string path = ObjectPath(type, key);
    return Do("create", path, [&](Json* stored) -> ApiResult<Json> {
      if (stored != nullptr) return Fault(ErrorReason::kAlreadyExists);
      return Store(path, object);
    });
  }
  ApiResult<Json> Update(const ResourceType& type, const ObjectKey& key, const Json& object,
                         const WriteOptions&) override {
    const std::string path = ObjectPath(type, key);
    return Do("update", path, [&](Json* stored) -> ApiResult<Json> {
      if (stored == nullptr) return Fault(ErrorReason::kNotFound);
      const std::string version = object["metadata"].value("resourceVersion", "");
      if (!version.empty() && version != (*stored)["metadata"]["resourceVersion"]) {
        return Fault(ErrorReason::kConflict);
      }
      return Store(path, object);
    });
  }
  ApiResult<Json> Apply(const ResourceType& type, const ObjectKey& key, const Json& object,
                        const ApplyOptions& options) override {
    const std::string path = ObjectPath(type, key);
    return Do("apply", path, [&](Json* stored) -> ApiResult<Json> {
      if (stored != nullptr && options.only_create) return Fault(ErrorReason::kConflict);
      Json merged = stored == nullptr ? Json::object() : *stored;
      merged.merge_patch(object);
      return Store(path, merged);
    });
  }
  ApiResult<Json> Patch(const ResourceType& type, const ObjectKey& key, PatchType,
                        const Json& patch, const WriteOptions&) override {
    const std::string path = ObjectPath(type, key);
    return Do("patch", path, [&](Json* stored) -> ApiResult<Json> {
      if (stored == nullptr) return Fault(ErrorReason::kNotFound);
      Json merged = *stored;
      merged.merge_patch(patch);
      return Store(path, merged);
    });
  }
  ApiResult<void> Delete(const ResourceType& type, const ObjectKey& key,
                         const DeleteOptions&) override {
    MutexLock lock(mutex_);
    calls_.push_back("delete " + ObjectPath(type, key));
    if (objects_.erase(ObjectPath(type, key)) == 0) return Fault(ErrorReason::kNotFound);
    return {};
  }
  ApiResult<void> Evict(const ObjectKey&, const std::string&, bool) override {
    return Fault(ErrorReason::kTooManyRequests);
  }

 private:
  struct Scripted {
    ErrorReason reason;
    bool after;
  };

  template <typename Act>
  ApiResult<Json> Do(const std::string& verb, const std::string& path, const Act& act) {
    MutexLock lock(mutex_);
    calls_.push_back(verb + " " + path);
    std::optional<Scripted> fault;
    if (!faults_.empty()) {
      fault = faults_.front();
      faults_.pop_front();
    }
    if (fault && !fault->after) return Fault(fault->reason);
    const auto found = objects_.find(path);
    ApiResult<Json> result = act(found == objects_.end() ? nullptr : &found->second);
    if (fault) return Fault(fault->reason);
    return result;
  }

  // Called by Do's acts, under its lock.
  Json Store(const std::string& path, Json object) SHM_NO_THREAD_SAFETY_ANALYSIS {
    object["metadata"]["resourceVersion"] = "v" + std::to_string(++version_);
    objects_[path] = object;
    return object;
  }

  mutable Mutex mutex_;
  std::map<std::string, Json> objects_ SHM_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ SHM_GUARDED_BY(mutex_);
  std::deque<Scripted> faults_ SHM_GUARDED_BY(mutex_);
  int version_ SHM_GUARDED_BY(mutex_) = 0;
};

}  // namespace shm::kube::testing
