#include "kube/client.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kube/list_reader.h"

namespace shm::kube {
namespace {

using Json = nlohmann::json;

constexpr char kJsonType[] = "application/json";
constexpr char kApplyType[] = "application/apply-patch+yaml";  // JSON is YAML
constexpr char kMergeType[] = "application/merge-patch+json";
constexpr char kJsonPatchType[] = "application/json-patch+json";

std::string WriteQuery(const WriteOptions& options) {
  return QueryString({{"fieldManager", options.field_manager},
                      {"fieldValidation", options.field_validation},
                      {"dryRun", options.dry_run ? "All" : ""}});
}

std::string ApplyQuery(const ApplyOptions& options) {
  return QueryString({{"fieldManager", options.field_manager},
                      {"force", options.force ? "true" : "false"},
                      {"fieldValidation", options.field_validation},
                      {"dryRun", options.dry_run ? "All" : ""}});
}

const char* PropagationName(Propagation propagation) {
  switch (propagation) {
    case Propagation::kBackground:
      return "Background";
    case Propagation::kForeground:
      return "Foreground";
    case Propagation::kOrphan:
      return "Orphan";
  }
  return "";
}

Json DeleteBody(const std::string& uid, const std::string& resource_version) {
  Json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  if (!uid.empty()) body["preconditions"]["uid"] = uid;
  if (!resource_version.empty()) body["preconditions"]["resourceVersion"] = resource_version;
  return body;
}

// A resourceVersion that no object has: etcd's first revision is before all of them. An apply with
// a version that is not the object's is a conflict; where there is no object, the API server does
// not look at it (kubernetes/apiserver registry/generic/registry/store.go, Update).
constexpr char kVersionOfNone[] = "1";

ApiError Malformed(const std::string& what) {
  ApiError error;
  error.reason = ErrorReason::kMalformed;
  error.message = what;
  return error;
}

// Invalid UTF-8, which dump() would throw at, is replaced: the server refuses it anyway.
std::string Dump(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ApiResult<void> Done(const ApiResult<HttpResponse>& result) {
  if (!result.ok()) return result.error();
  return {};
}

}  // namespace

ApiResult<Json> Api::ApplyStatus(const ResourceType& type, const ObjectKey& key,
                                 const Json& object) {
  ApplyOptions options;
  options.subresource = "status";
  return Apply(type, key, object, options);
}

Client::Client(Transport& transport, ClientOptions options)
    : transport_(transport), options_(options) {}

ApiResult<HttpResponse> Client::Call(const HttpRequest& request,
                                     std::chrono::milliseconds timeout) {
  SendResult result = transport_.Send(request, timeout, stop_.get_token());
  if (result.failure != TransportFailure::kNone) {
    return ErrorFromFailure(result.failure, result.message);
  }
  if (result.response.status < 200 || result.response.status > 299) {
    return ErrorFromResponse(result.response);
  }
  return std::move(result.response);
}

ApiResult<Json> Client::CallJson(const HttpRequest& request) {
  ApiResult<HttpResponse> response = Call(request, options_.timeout);
  if (!response.ok()) return response.error();
  Json object = ParseJson(response->body);
  if (!object.is_object()) return Malformed("the answer to " + request.path + " is not an object");
  return object;
}

ApiResult<Json> Client::GetPath(const std::string& path) {
  return CallJson({.method = "GET", .path = path, .content_type = {}, .body = {}});
}

ApiResult<Json> Client::Get(const ResourceType& type, const ObjectKey& key) {
  return GetPath(ObjectPath(type, key));
}

ApiResult<std::string> Client::List(const ResourceType& type, const std::string& namespace_name,
                                    const ListOptions& options,
                                    const std::function<void(Json&&)>& each) {
  std::string token;
  for (;;) {
    const std::string limit = options.page_size > 0 ? std::to_string(options.page_size) : "";
    HttpRequest request;
    request.path = CollectionPath(type, namespace_name) +
                   QueryString({{"labelSelector", options.label_selector},
                                {"fieldSelector", options.field_selector},
                                {"limit", limit},
                                {"continue", token}});
    ApiResult<HttpResponse> response = Call(request, options_.list_timeout);
    if (!response.ok()) return response.error();
    const auto meta = ReadListPage(response->body, each);
    if (!meta) return Malformed("the answer to " + request.path + " is not a list");
    if (meta->continue_token.empty()) return meta->resource_version;
    token = meta->continue_token;
  }
}

ApiResult<Json> Client::Create(const ResourceType& type, const std::string& namespace_name,
                               const Json& object, const WriteOptions& options) {
  return CallJson({.method = "POST",
                   .path = CollectionPath(type, namespace_name) + WriteQuery(options),
                   .content_type = kJsonType,
                   .body = Dump(object)});
}

ApiResult<Json> Client::Update(const ResourceType& type, const ObjectKey& key, const Json& object,
                               const WriteOptions& options) {
  return CallJson({.method = "PUT",
                   .path = ObjectPath(type, key, options.subresource) + WriteQuery(options),
                   .content_type = kJsonType,
                   .body = Dump(object)});
}

ApiResult<Json> Client::Apply(const ResourceType& type, const ObjectKey& key, const Json& object,
                              const ApplyOptions& options) {
  Json filled = object;
  if (!filled.contains("apiVersion")) filled["apiVersion"] = type.ApiVersion();
  if (!filled.contains("kind")) filled["kind"] = type.kind;
  if (!filled["metadata"].contains("name")) filled["metadata"]["name"] = key.name;
  if (options.only_create) filled["metadata"]["resourceVersion"] = kVersionOfNone;
  return CallJson({.method = "PATCH",
                   .path = ObjectPath(type, key, options.subresource) + ApplyQuery(options),
                   .content_type = kApplyType,
                   .body = Dump(filled)});
}

ApiResult<Json> Client::Patch(const ResourceType& type, const ObjectKey& key, PatchType patch_type,
                              const Json& patch, const WriteOptions& options) {
  return CallJson({.method = "PATCH",
                   .path = ObjectPath(type, key, options.subresource) + WriteQuery(options),
                   .content_type = patch_type == PatchType::kMerge ? kMergeType : kJsonPatchType,
                   .body = Dump(patch)});
}

ApiResult<void> Client::Delete(const ResourceType& type, const ObjectKey& key,
                               const DeleteOptions& options) {
  Json body = DeleteBody(options.uid, options.resource_version);
  body["propagationPolicy"] = PropagationName(options.propagation);
  if (options.dry_run) body["dryRun"] = {"All"};
  return Done(Call({.method = "DELETE",
                    .path = ObjectPath(type, key),
                    .content_type = kJsonType,
                    .body = Dump(body)},
                   options_.timeout));
}

ApiResult<void> Client::Evict(const ObjectKey& pod, const std::string& uid, bool dry_run) {
  Json body = {{"apiVersion", "policy/v1"},
               {"kind", "Eviction"},
               {"metadata", {{"name", pod.name}, {"namespace", pod.namespace_name}}}};
  body["deleteOptions"] = DeleteBody(uid, "");
  if (dry_run) body["deleteOptions"]["dryRun"] = {"All"};
  return Done(Call({.method = "POST",
                    .path = ObjectPath(Pods(), pod, "eviction"),
                    .content_type = kJsonType,
                    .body = Dump(body)},
                   options_.timeout));
}

}  // namespace shm::kube
