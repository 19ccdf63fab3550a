#include "cli/scan_cluster.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "kube/resource.h"

namespace shm::cli {
namespace {

using Json = nlohmann::json;
using kube::ErrorReason;

// Pods that have ended need not be sent.
constexpr const char* kNotEnded = "status.phase!=Succeeded,status.phase!=Failed";
// A list that takes longer than the server keeps its version begins anew, this often.
constexpr int kMostLists = 3;

// One scan of one cluster.
class Scanner {
 public:
  Scanner(kube::Api& api, const ScanScope& scope, const InstallationDefaults& installation,
          std::vector<std::string>* warnings)
      : api_(api), scope_(scope), warnings_(warnings), report_(scope.idle_pods) {
    around_.installation = installation;
  }

  Result<ScanReport> Scan() {
    std::optional<Error> error = ReadServices();
    if (!error) error = scope_.namespace_name.empty() ? ReadNamespaces() : ReadNamespace();
    if (!error) error = ReadPods();
    if (error) return *error;
    report_.Sort();
    return std::move(report_);
  }

 private:
  std::optional<kube::ApiError> List(const kube::ResourceType& type, const std::string& fields,
                                     const std::function<void()>& begin,
                                     const std::function<void(Json&&)>& each) {
    kube::ListOptions options;
    options.field_selector = fields;
    const std::string where = type.namespaced ? scope_.namespace_name : "";
    for (int left = kMostLists;; --left) {
      begin();
      const kube::ApiResult<std::string> listed = api_.List(type, where, options, each);
      if (listed.ok()) return std::nullopt;
      if (left == 1 || !listed.Is(ErrorReason::kExpired)) return listed.error();
    }
  }

  std::optional<Error> ReadServices() {
    const auto begin = [this] { around_.services.clear(); };
    const auto failed = List(kube::InferenceServices(), "", begin, [this](Json&& object) {
      Result<InferenceService> service = ParseInferenceService(object);
      if (!service.ok()) return Warn(NameOf(object), service.error().ToString());
      around_.services[service->namespace_name].push_back(std::move(service).value());
    });
    if (!failed) return std::nullopt;
    if (failed->reason == ErrorReason::kNotFound) {
      Warn("inferenceservices.shm-operator.dev",
           "this cluster does not know them: shm-operator is not installed");
      return std::nullopt;
    }
    if (failed->reason != ErrorReason::kForbidden) return Failed("inferenceservices", *failed);
    around_.services_known = false;
    Warn("inferenceservices.shm-operator.dev",
         failed->ToString() + ": pods are judged by what they say themselves");
    return std::nullopt;
  }

  std::optional<Error> ReadNamespaces() {
    const auto begin = [this] { around_.namespaces.clear(); };
    const auto failed =
        List(kube::Namespaces(), "", begin, [this](Json&& object) { AddNamespace(object); });
    return failed ? Unreadable(*failed) : std::nullopt;
  }

  std::optional<Error> ReadNamespace() {
    const auto object = api_.Get(kube::Namespaces(), {"", scope_.namespace_name});
    if (!object.ok()) return Unreadable(object.error());
    AddNamespace(*object);
    return std::nullopt;
  }

  std::optional<Error> Unreadable(const kube::ApiError& error) {
    if (error.reason != ErrorReason::kForbidden) return Failed("namespaces", error);
    Warn("namespaces", error.ToString() +
                           ": their defaults are not known, nor whether the webhook sees their "
                           "pods");
    return std::nullopt;
  }

  void AddNamespace(const Json& object) {
    NamespaceFacts facts = ReadNamespaceFacts(object);
    for (const std::string& warning : facts.warnings) Warn(NameOf(object), warning);
    around_.namespaces[NameOf(object)] = std::move(facts);
  }

  std::optional<Error> ReadPods() {
    const auto begin = [this] { report_.Clear(); };
    const auto failed = List(kube::Pods(), kNotEnded, begin, [this](Json&& object) {
      if (HasEnded(object)) return;
      const Result<ScannedPod> pod = ReadScannedPod(object);
      if (!pod.ok()) return Warn(NameOf(object), pod.error().ToString());
      report_.Add(DescribePod(*pod, around_));
    });
    if (!failed) return std::nullopt;
    Error error = Failed("pods", *failed);
    if (failed->reason == ErrorReason::kForbidden && scope_.namespace_name.empty()) {
      error.message += "; name a namespace that you may list with -n";
    }
    return error;
  }

  static Error Failed(const char* resource, const kube::ApiError& error) {
    return {resource, error.ToString()};
  }

  void Warn(const std::string& whose, const std::string& what) {
    warnings_->push_back(whose + ": " + what);
  }

  kube::Api& api_;
  const ScanScope& scope_;
  std::vector<std::string>* warnings_;
  Surroundings around_;
  ScanReport report_;
};

}  // namespace

Result<ScanReport> ScanCluster(kube::Api& api, const ScanScope& scope,
                               const InstallationDefaults& installation,
                               std::vector<std::string>* warnings) {
  return Scanner(api, scope, installation, warnings).Scan();
}

}  // namespace shm::cli
