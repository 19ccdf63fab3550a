#include "cli/service_catalog.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "manifest/documents.h"

namespace shm::cli {
namespace {

using manifest::Json;

Json Crd() {
  std::ifstream file(SHM_SOURCE_DIR "/crds/inferenceservices.shm-operator.dev.yaml");
  manifest::DocumentReader reader(file, "crd");
  auto document = reader.Next();
  if (!document.ok() || !*document) FAIL("the CRD cannot be read");
  return (*document)->value;
}

// Properties of the schema of spec, or of one of its objects.
Json PropertiesOf(const std::string& below) {
  return Crd().at(Json::json_pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec" +
                                     below + "/properties"));
}

Json Service(const Json& spec, const std::string& name = "engine") {
  return {{"apiVersion", "shm-operator.dev/v1alpha1"},
          {"kind", "InferenceService"},
          {"metadata", {{"name", name}, {"namespace", "llm"}}},
          {"spec", spec}};
}

Json Valid() {
  return Service({{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"a", "b"}}}}}});
}

ServiceCatalog Catalog() { return ServiceCatalog({}, "default", KnownGpuClasses()); }

// The message of CheckService that tells of an unknown field, or nothing.
bool IsUnknown(Json service, const std::string& pointer) {
  service[Json::json_pointer(pointer)] = nullptr;
  const auto checked = CheckService(service, InferenceService());
  return !checked.ok() && checked.error().message == "is no field of an InferenceService";
}

}  // namespace

TEST_CASE("The fields that an InferenceService may have are those of the CRD") {
  struct Case {
    std::string schema, object;
    std::size_t fields;
  };
  for (const Case& c :
       {Case{"", "/spec/", 14}, {"/properties/sharedMemory", "/spec/sharedMemory/", 6}}) {
    const Json properties = PropertiesOf(c.schema);
    // As many as the code knows: one that the CRD lost would be found here.
    CHECK(properties.size() == c.fields);
    for (const auto& entry : properties.items()) {
      INFO(entry.key());
      CHECK_FALSE(IsUnknown(Valid(), c.object + entry.key()));
    }
    CHECK(IsUnknown(Valid(), c.object + "tensorParalelSize"));
  }
}

TEST_CASE("What the CRD would refuse is refused, with the field") {
  const Json selector = {{"matchLabels", {{"a", "b"}}}};
  const Json pod = {{"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
  const std::vector<std::pair<Json, std::string>> cases = {
      {{{"selector", selector}, {"tp", 2}}, "spec.tp"},
      {{{"selector", selector}, {"sharedMemory", {{"sizePerGpu", "1Gi"}}}},
       "spec.sharedMemory.sizePerGpu"},
      {{{"tensorParallelSize", 2}}, "spec"},
      {{{"selector", selector}, {"template", pod}}, "spec"},
      {{{"template", pod}, {"nodeCount", 2}}, "spec.nodeCount"},
      {{{"selector", selector}, {"tensorParallelSize", 0}}, "spec.tensorParallelSize"},
      {{{"selector", selector}, {"sharedMemory", {{"size", "lots"}}}}, "spec.sharedMemory.size"},
  };
  for (const auto& [spec, field] : cases) {
    INFO(spec.dump());
    const auto added = Catalog().Add(Service(spec));
    REQUIRE_FALSE(added.ok());
    CHECK(added.error().field == field);
  }
  const auto in_list =
      Catalog().Add({{"kind", "List"}, {"items", {Valid(), Service({{"tensorParallelSize", 2}})}}});
  REQUIRE_FALSE(in_list.ok());
  CHECK(in_list.error().field == "items[1].spec");
}

TEST_CASE("What is known holds for the pods of its own namespace") {
  ServiceCatalog catalog = Catalog();
  REQUIRE(catalog.Add(Valid()).ok());
  REQUIRE(
      catalog
          .Add({{"apiVersion", "v1"},
                {"kind", "Namespace"},
                {"metadata",
                 {{"name", "llm"}, {"annotations", {{"shm-operator.dev/size-per-gpu", "2Gi"}}}}}})
          .ok());
  CHECK(catalog.around().ContextOf("llm").services.size() == 1);
  CHECK(catalog.around().ContextOf("llm").name_space.size_per_gpu == std::int64_t{2} << 30);
  CHECK(catalog.around().ContextOf("default").services.empty());
  CHECK(catalog.around().ContextOf("default").name_space == NamespaceDefaults());
}

TEST_CASE("The last of the same object stays, and one that is known is not added late") {
  ServiceCatalog catalog = Catalog();
  const auto tensor_parallel = [&] {
    return catalog.around().ContextOf("llm").services.at(0)->degrees.tensor_parallel;
  };
  const Json four =
      Service({{"tensorParallelSize", 4}, {"selector", {{"matchLabels", {{"a", "b"}}}}}});
  CHECK(*catalog.AddUnknown(Valid()) == 1);
  CHECK(*catalog.AddUnknown(four) == 0);
  CHECK(tensor_parallel() == 2);
  REQUIRE(catalog.Add(four).ok());
  CHECK(tensor_parallel() == 4);
  CHECK(*catalog.AddUnknown({{"kind", "List"}, {"items", {four, Service(four["spec"], "two")}}}) ==
        1);
}

TEST_CASE("Other groups' kinds of the same names are passed over") {
  ServiceCatalog catalog = Catalog();
  for (Json other : {Valid(), Json{{"kind", "Namespace"}, {"metadata", {{"name", "x"}}}}}) {
    other["apiVersion"] = "serving.kserve.io/v1beta1";
    CHECK(*catalog.AddUnknown(other) == 0);
  }
  for (const Json& nothing : {Json::object(), Json{{"kind", 1}}, Json{{"kind", "List"}},
                              Json{{"kind", "List"}, {"items", {1, nullptr, "x"}}}}) {
    CHECK(*catalog.AddUnknown(nothing) == 0);
  }
}

}  // namespace shm::cli
