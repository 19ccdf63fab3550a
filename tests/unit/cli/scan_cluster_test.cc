#include "cli/scan_cluster.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/quantity.h"
#include "tests/unit/cli/scan_objects.h"
#include "tests/unit/kube/fake_api.h"

namespace shm::cli {
namespace {

using namespace testing;
using kube::ApiResult;
using kube::ErrorReason;
using kube::ResourceType;
using kube::testing::FakeApi;
using kube::testing::Fault;
using Words = std::vector<std::string>;

// An API server's lists, some of which fail; a write would fail the test.
class ListApi : public FakeApi {
 public:
  std::map<std::string, std::vector<Json>> objects;          // by plural
  std::map<std::string, std::vector<ErrorReason>> failures;  // of the next lists, after the items
  std::vector<std::string> lists;                            // "pods llm status.phase!=..."

  ApiResult<Json> Get(const ResourceType& type, const kube::ObjectKey& key) override {
    if (auto failure = Failure(type)) return Fault(*failure);
    for (const Json& object : objects[type.plural]) {
      if (object["metadata"]["name"] == key.name) return object;
    }
    return Fault(ErrorReason::kNotFound);
  }
  ApiResult<std::string> List(const ResourceType& type, const std::string& namespace_name,
                              const kube::ListOptions& options,
                              const std::function<void(Json&&)>& each) override {
    lists.push_back(type.plural + " " + namespace_name + " " + options.field_selector);
    CHECK(options.page_size == 500);
    for (const Json& object : objects[type.plural]) {
      const bool inside = namespace_name.empty() || !type.namespaced ||
                          object["metadata"]["namespace"] == namespace_name;
      if (inside) each(Json(object));
    }
    if (auto failure = Failure(type)) return Fault(*failure);
    return std::string("1");
  }

 private:
  std::optional<ErrorReason> Failure(const ResourceType& type) {
    auto& left = failures[type.plural];
    if (left.empty()) return std::nullopt;
    const ErrorReason reason = left.front();
    left.erase(left.begin());
    return reason;
  }
};

// Two namespaces, one of them enabled, each with a pod of two GPUs; one with a selecting service.
void Fill(ListApi& api) {
  api.objects["pods"] = {WithLabel(MakePod("a", 2, "one"), "app", "engine"), MakePod("b", 2, "two"),
                         MakePod("idle", 0, "two")};
  api.objects["namespaces"] = {
      MakeNamespace("one", true, {{"shm-operator.dev/size-per-gpu", "2Gi"}}),
      MakeNamespace("two", false)};
  api.objects["inferenceservices"] = {
      MakeService("s", {{"selector", {{"matchLabels", {{"app", "engine"}}}}}}, "one")};
}

struct Scanned {
  Result<ScanReport> report;
  Words warnings;
};

Scanned Scan(ListApi& api, const std::string& name_space = "", bool idle_pods = false) {
  ScanScope scope;
  scope.namespace_name = name_space;
  scope.idle_pods = idle_pods;
  Words warnings;
  Result<ScanReport> report = ScanCluster(api, scope, {}, &warnings);
  CHECK(api.Calls().empty());  // nothing but gets and lists
  return {std::move(report), std::move(warnings)};
}

Words NamesOf(const Scanned& scanned) {
  REQUIRE(scanned.report.ok());
  Words names;
  for (const ScanRow& row : scanned.report->rows()) names.push_back(row.pod);
  return names;
}

TEST_CASE("A scan of a cluster knows the pods' InferenceServices and namespaces") {
  ListApi api;
  Fill(api);
  const Scanned scanned = Scan(api);
  REQUIRE(NamesOf(scanned) == Words{"a", "b"});
  CHECK(scanned.warnings.empty());
  const ScanRow& first = scanned.report->rows()[0];
  CHECK(first.would_get == 4 * kGibibyte);
  CHECK(first.service == "s");
  CHECK(first.covered == true);
  CHECK(scanned.report->rows()[1].covered == false);
  CHECK(scanned.report->Summary().scanned == 3);
  CHECK(api.lists == Words{"inferenceservices  ", "namespaces  ",
                           "pods  status.phase!=Succeeded,status.phase!=Failed"});
  CHECK(NamesOf(Scan(api, "", true)) == Words{"a", "b", "idle"});
}

TEST_CASE("A scan of one namespace lists nothing of others") {
  ListApi api;
  Fill(api);
  CHECK(NamesOf(Scan(api, "one")) == Words{"a"});
  CHECK(api.lists ==
        Words{"inferenceservices one ", "pods one status.phase!=Succeeded,status.phase!=Failed"});
  const Scanned absent = Scan(api, "thre");
  REQUIRE_FALSE(absent.report.ok());
  CHECK(absent.report.error().field == "namespaces");
}

TEST_CASE("A server that sends pods that have ended, or cannot be read, ends no scan") {
  ListApi api;
  Fill(api);
  Json ended = MakePod("ended", 2, "two");
  ended["status"]["phase"] = "Failed";
  Json odd = MakePod("odd", 2, "two");
  odd["spec"]["containers"] = Json::array();
  api.objects["pods"].insert(api.objects["pods"].end(), {ended, odd});
  const Scanned scanned = Scan(api);
  CHECK(NamesOf(scanned) == Words{"a", "b"});
  REQUIRE(scanned.warnings.size() == 1);
  CHECK_THAT(scanned.warnings[0], Catch::StartsWith("two/odd: "));
}

TEST_CASE("What may not be read besides pods is a warning, and its facts are not known") {
  struct Case {
    const char* resource;
    ErrorReason reason;
    const char* name_space;
    const char* warning;
  };
  const std::vector<Case> cases = {
      {"inferenceservices", ErrorReason::kNotFound, "", "shm-operator is not installed"},
      {"inferenceservices", ErrorReason::kForbidden, "", "judged by what they say themselves"},
      {"namespaces", ErrorReason::kForbidden, "", "defaults are not known"},
      {"namespaces", ErrorReason::kForbidden, "one", "defaults are not known"},
  };
  for (const Case& c : cases) {
    INFO(c.resource << " " << ErrorReasonName(c.reason));
    ListApi api;
    Fill(api);
    if (c.reason == ErrorReason::kNotFound) api.objects["inferenceservices"].clear();
    if (std::string(c.resource) == "namespaces") api.objects["namespaces"].clear();
    api.failures[c.resource] = {c.reason};
    const Scanned scanned = Scan(api, c.name_space);
    CHECK(NamesOf(scanned).front() == "a");
    REQUIRE(scanned.warnings.size() == 1);
    CHECK_THAT(scanned.warnings[0], Catch::Contains(c.warning));
    const bool no_namespaces = std::string(c.resource) == "namespaces";
    CHECK(scanned.report->rows()[0].covered.has_value() != no_namespaces);
  }
}

TEST_CASE("Where InferenceServices may not be read a label is taken at its word") {
  ListApi api;
  Fill(api);
  api.objects["pods"] = {WithLabel(MakePod("a", 2, "one"), "shm-operator.dev/service", "x")};
  CHECK(Scan(api).report->rows()[0].outcome == "UnknownService");
  api.failures["inferenceservices"] = {ErrorReason::kForbidden};
  CHECK(Scan(api).report->rows()[0].outcome == "Injected");
}

TEST_CASE("Pods that cannot be read end the scan, naming what was asked for") {
  struct Case {
    const char* resource;
    ErrorReason reason;
    const char* name_space;
    const char* said;
  };
  const std::vector<Case> cases = {
      {"pods", ErrorReason::kForbidden, "", "with -n"},
      {"pods", ErrorReason::kForbidden, "one", "Forbidden"},
      {"pods", ErrorReason::kUnauthorized, "", "Unauthorized"},
      {"pods", ErrorReason::kUnreachable, "", "Unreachable"},
      {"inferenceservices", ErrorReason::kUnreachable, "", "Unreachable"},
      {"namespaces", ErrorReason::kTimeout, "one", "Timeout"},
      {"namespaces", ErrorReason::kInternalError, "", "InternalError"},
  };
  for (const Case& c : cases) {
    INFO(c.resource << " " << ErrorReasonName(c.reason));
    ListApi api;
    Fill(api);
    api.failures[c.resource] = {c.reason};
    const Scanned scanned = Scan(api, c.name_space);
    REQUIRE_FALSE(scanned.report.ok());
    CHECK(scanned.report.error().field == c.resource);
    CHECK_THAT(scanned.report.error().message, Catch::Contains(c.said));
  }
}

TEST_CASE("A list whose token expires begins anew, and counts no pod twice") {
  ListApi api;
  Fill(api);
  api.failures["pods"] = {ErrorReason::kExpired, ErrorReason::kExpired};
  const Scanned scanned = Scan(api);
  CHECK(NamesOf(scanned) == Words{"a", "b"});
  CHECK(scanned.report->Summary().scanned == 3);
  api.failures["pods"] = {ErrorReason::kExpired, ErrorReason::kExpired, ErrorReason::kExpired};
  CHECK_FALSE(Scan(api).report.ok());
}

}  // namespace
}  // namespace shm::cli
