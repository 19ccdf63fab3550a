// What the programs ask of an API server: the interface that tests replace by hand-written fakes.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kube/api_error.h"
#include "kube/resource.h"

namespace shm::kube {

inline constexpr char kFieldManager[] = "shm-operator";

struct ListOptions {
  std::string label_selector{};
  std::string field_selector{};
  int page_size = 500;  // 0: all at once
};

struct WriteOptions {
  std::string field_manager = kFieldManager;
  bool dry_run = false;
  std::string field_validation = "Strict";  // Strict, Warn or Ignore
  std::string subresource{};                // "status", "scale"; empty: the object
};

struct ApplyOptions {
  std::string field_manager = kFieldManager;
  bool force = true;         // take over fields that others own
  bool only_create = false;  // make it, change nothing: kConflict where there is one
  bool dry_run = false;
  std::string field_validation = "Strict";
  std::string subresource{};
};

enum class PatchType { kMerge, kJson };

enum class Propagation { kBackground, kForeground, kOrphan };

struct DeleteOptions {
  Propagation propagation = Propagation::kBackground;
  std::string uid{};               // delete only this one; empty: whatever has the name
  std::string resource_version{};  // delete only this version
  bool dry_run = false;
};

// Thread-safe. Calls block, each with the deadline that the implementation was made with.
// Objects go in and come out as the API server's JSON.
class Api {
 public:
  virtual ~Api() = default;

  virtual ApiResult<nlohmann::json> Get(const ResourceType& type, const ObjectKey& key) = 0;

  // Hands over item after item, and holds one page's text and one item at a time. Returns the
  // list's resourceVersion. An error may come after some items did. Items carry no apiVersion and
  // kind unless the server sends them.
  virtual ApiResult<std::string> List(const ResourceType& type, const std::string& namespace_name,
                                      const ListOptions& options,
                                      const std::function<void(nlohmann::json&&)>& each) = 0;

  virtual ApiResult<nlohmann::json> Create(const ResourceType& type,
                                           const std::string& namespace_name,
                                           const nlohmann::json& object,
                                           const WriteOptions& options) = 0;

  // Replaces (PUT). With metadata.resourceVersion set: only that version, else kConflict.
  virtual ApiResult<nlohmann::json> Update(const ResourceType& type, const ObjectKey& key,
                                           const nlohmann::json& object,
                                           const WriteOptions& options) = 0;

  // Server-side apply: creates the object, or makes the fields in `object`, and only those, this
  // manager's. apiVersion, kind and metadata.name are filled in where they are missing.
  virtual ApiResult<nlohmann::json> Apply(const ResourceType& type, const ObjectKey& key,
                                          const nlohmann::json& object,
                                          const ApplyOptions& options) = 0;

  virtual ApiResult<nlohmann::json> Patch(const ResourceType& type, const ObjectKey& key,
                                          PatchType patch_type, const nlohmann::json& patch,
                                          const WriteOptions& options) = 0;

  // kNotFound where it is not there.
  virtual ApiResult<void> Delete(const ResourceType& type, const ObjectKey& key,
                                 const DeleteOptions& options) = 0;

  // Through the eviction API, which honours PodDisruptionBudgets: kTooManyRequests when one forbids
  // it now. `uid` guards against evicting a successor of the same name; empty: no guard.
  virtual ApiResult<void> Evict(const ObjectKey& pod, const std::string& uid, bool dry_run) = 0;

  // Apply to the status subresource.
  ApiResult<nlohmann::json> ApplyStatus(const ResourceType& type, const ObjectKey& key,
                                        const nlohmann::json& object);
};

}  // namespace shm::kube
