// Resource claims at the admission: counted where the installation says so.
#include <thread>

#include "tests/unit/webhook/admission_bench.h"

namespace shm::webhook {
namespace {

// A Bench whose claims are counted, and a pod that has one from the template t.
struct ClaimBench : Bench {
  explicit ClaimBench(std::chrono::milliseconds wait = {}, bool listed = true) : Bench(DecidePod) {
    AdmissionOptions options;
    options.wait = wait;
    admission = std::make_unique<Admission>(AdmissionSources{services, namespaces, &templates},
                                            metrics, std::move(options));
    templates.BeginList();
    if (listed) templates.EndList();
  }

  void AddTemplate(const std::string& namespace_name, int gpus) {
    json object = Named(namespace_name, "t");
    object["spec"]["spec"]["devices"]["requests"] = {
        {{"name", "r"}, {"exactly", {{"deviceClassName", "gpu.nvidia.com"}, {"count", gpus}}}}};
    templates.Upsert({namespace_name, "t"}, object);
  }

  json Ask() {
    json review = Review();
    json& spec = review["request"]["object"]["spec"];
    spec["resourceClaims"] = {{{"name", "g"}, {"resourceClaimTemplateName", "t"}}};
    spec["containers"][0]["resources"]["claims"] = {{{"name", "g"}}};
    return ResponseOf(Post(kNamespacePath, review.dump()));
  }

  kube::Store<ClaimTemplate> templates{
      [](const json& object) { return ParseClaimTemplate(object, KnownGpuClasses()); }};
};

TEST_CASE("Claims count by the ResourceClaimTemplates of the request's namespace") {
  ClaimBench bench;
  bench.AddTemplate("other", 8);
  json response = bench.Ask();
  CHECK_FALSE(response.contains("patch"));
  CHECK_THAT(response["warnings"][0].get<std::string>(),
             Catch::Contains("gpuCount") && Catch::Contains("t is not known"));
  bench.AddTemplate("llm", 3);
  response = bench.Ask();
  REQUIRE(response.contains("patch"));
  const auto patch = DecodeBase64(response["patch"].get<std::string>());
  CHECK_THAT(*patch, Catch::Contains("3Gi") && !Catch::Contains("nvidia.com"));
  CHECK_FALSE(response.contains("warnings"));
}

TEST_CASE("A pod that is faster than the watch waits for its ResourceClaimTemplate") {
  ClaimBench bench(std::chrono::seconds(30));
  std::thread watch([&bench] { bench.AddTemplate("llm", 2); });
  CHECK(bench.Ask().contains("patch"));
  watch.join();
}

TEST_CASE("Nothing waits for ResourceClaimTemplates that were never listed") {
  ClaimBench bench(std::chrono::hours(1), false);
  CHECK(bench.admission->Ready("llm"));
  CHECK_FALSE(bench.Ask().contains("patch"));
}

}  // namespace
}  // namespace shm::webhook
