// The Api of a real server, over a Transport.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "kube/api.h"
#include "kube/transport.h"

namespace shm::kube {

struct ClientOptions {
  std::chrono::milliseconds timeout{15'000};       // of one request
  std::chrono::milliseconds list_timeout{60'000};  // of one page of a list
};

// Thread-safe. Never retries: callers know better when (ApiError::Retriable, retry_after).
class Client : public Api {
 public:
  // `transport` must outlive the client.
  Client(Transport& transport, ClientOptions options = {});

  ApiResult<nlohmann::json> Get(const ResourceType& type, const ObjectKey& key) override;
  ApiResult<std::string> List(const ResourceType& type, const std::string& namespace_name,
                              const ListOptions& options,
                              const std::function<void(nlohmann::json&&)>& each) override;
  ApiResult<nlohmann::json> Create(const ResourceType& type, const std::string& namespace_name,
                                   const nlohmann::json& object,
                                   const WriteOptions& options) override;
  ApiResult<nlohmann::json> Update(const ResourceType& type, const ObjectKey& key,
                                   const nlohmann::json& object,
                                   const WriteOptions& options) override;
  ApiResult<nlohmann::json> Apply(const ResourceType& type, const ObjectKey& key,
                                  const nlohmann::json& object,
                                  const ApplyOptions& options) override;
  ApiResult<nlohmann::json> Patch(const ResourceType& type, const ObjectKey& key,
                                  PatchType patch_type, const nlohmann::json& patch,
                                  const WriteOptions& options) override;
  ApiResult<void> Delete(const ResourceType& type, const ObjectKey& key,
                         const DeleteOptions& options) override;
  ApiResult<void> Evict(const ObjectKey& pod, const std::string& uid, bool dry_run) override;

  // GET of any path, for /version and discovery.
  ApiResult<nlohmann::json> GetPath(const std::string& path);

  // Calls in progress and later ones return kCancelled.
  void Cancel() { stop_.request_stop(); }

 private:
  ApiResult<HttpResponse> Call(const HttpRequest& request, std::chrono::milliseconds timeout);
  ApiResult<nlohmann::json> CallJson(const HttpRequest& request);

  Transport& transport_;
  const ClientOptions options_;
  std::stop_source stop_;
};

}  // namespace shm::kube
