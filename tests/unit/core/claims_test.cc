// ResourceClaimTemplates, and the GPUs that pods have by claims that are made from them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/claim_gpus.h"
#include "core/claim_template.h"
#include "core/gpu_containers.h"
#include "core/mutation.h"

namespace shm {
namespace {

using nlohmann::json;

json Template(const json& requests, const std::string& name = "t") {
  return {{"metadata", {{"name", name}}},
          {"spec", {{"spec", {{"devices", {{"requests", requests}}}}}}}};
}

ClaimTemplate Parse(const json& object) {
  const auto parsed = ParseClaimTemplate(object, KnownGpuClasses());
  INFO((parsed.ok() ? "" : parsed.error().ToString()));
  REQUIRE(parsed.ok());
  return *parsed;
}

PodView Read(const std::string& spec) {
  const auto pod = ReadPod(std::string_view(R"({"spec":)" + spec + "}"));
  INFO((pod.ok() ? "" : pod.error().ToString()));
  REQUIRE(pod.ok());
  return *pod;
}

std::string Show(const GpuContainers& found) {
  std::string shown;
  for (std::size_t i = 0; i < found.containers.size(); ++i) {
    shown += found.containers[i]->name + "=" + std::to_string(found.gpus[i]) + " ";
  }
  return shown + "total " + std::to_string(found.Total());
}

// What the tests' pods may name: t has two kinds of GPUs, vague does not tell.
struct Templates {
  std::vector<ClaimTemplate> all = {
      {"t", {{"big", 4}, {"small", 1}}}, {"net", {{"nic", 0}}}, {"vague", {{"any", std::nullopt}}}};
  ClaimTemplates pointers = {&all[0], &all[1], &all[2]};
};

}  // namespace

TEST_CASE("a request for devices of a GPU class is as many GPUs as it says exactly") {
  struct Case {
    const char* name;
    const char* request;  // without its name
    std::optional<int> gpus;
  };
  const Case cases[] = {
      {"the defaults", R"({"exactly":{"deviceClassName":"gpu.nvidia.com"}})", 1},
      {"a count", R"({"exactly":{"deviceClassName":"gpu.nvidia.com","count":4}})", 4},
      {"the mode of a count",
       R"({"exactly":{"deviceClassName":"mig.nvidia.com","allocationMode":"ExactCount","count":7}})",
       7},
      {"v1beta1", R"({"deviceClassName":"gpu.nvidia.com","count":2})", 2},
      {"no administrative access",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","adminAccess":false,"count":2}})", 2},
      {"another class", R"({"exactly":{"deviceClassName":"dra.net","count":2}})", 0},
      {"all of another class",
       R"({"exactly":{"deviceClassName":"dra.net","allocationMode":"All"}})", 0},
      {"all of a node",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","allocationMode":"All"}})", std::nullopt},
      {"a mode of the future",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","allocationMode":"Some","count":2}})",
       std::nullopt},
      {"administrative access",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","adminAccess":true}})", std::nullopt},
      {"first available, which agree",
       R"({"firstAvailable":[{"name":"a","deviceClassName":"gpu.nvidia.com","count":2},
                             {"name":"b","deviceClassName":"mig.nvidia.com","count":2}]})",
       2},
      {"first available, which differ",
       R"({"firstAvailable":[{"name":"a","deviceClassName":"gpu.nvidia.com","count":1},
                             {"name":"b","deviceClassName":"mig.nvidia.com","count":2}]})",
       std::nullopt},
      {"first available, or no GPU",
       R"({"firstAvailable":[{"name":"a","deviceClassName":"gpu.nvidia.com"},
                             {"name":"b","deviceClassName":"cpu.example.com"}]})",
       std::nullopt},
      {"first available of v1beta1",
       R"({"deviceClassName":"","firstAvailable":[{"name":"a","deviceClassName":"gpu.amd.com",
                                                   "count":8}]})",
       8},
      {"first of none", R"({"firstAvailable":[]})", std::nullopt},
      {"neither", R"({})", std::nullopt},
      {"a class that is no name", R"({"exactly":{"deviceClassName":7}})", std::nullopt},
      {"a count that is none", R"({"exactly":{"deviceClassName":"gpu.nvidia.com","count":"4"}})",
       std::nullopt},
      {"a count below 0", R"({"exactly":{"deviceClassName":"gpu.nvidia.com","count":-1}})",
       std::nullopt},
      {"more than anybody has",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","count":18446744073709551615}})", 1024},
      {"null is not there",
       R"({"exactly":{"deviceClassName":"gpu.nvidia.com","count":null,"allocationMode":null},
           "firstAvailable":null})",
       1},
  };
  for (const Case& c : cases) {
    INFO(c.name);
    json request = json::parse(c.request);
    request["name"] = "r";
    const ClaimTemplate parsed = Parse(Template(json::array({request})));
    CHECK(parsed.name == "t");
    CHECK(parsed.gpus == std::map<std::string, std::optional<int>>{{"r", c.gpus}});
  }
}

TEST_CASE("a template without requests asks for nothing, and one of another shape is an error") {
  CHECK(Parse({{"metadata", {{"name", "t"}}}}).gpus.empty());
  CHECK(Parse(Template(nullptr)).gpus.empty());
  CHECK(Parse(Template(json::array())).gpus.empty());
  struct Case {
    json object;
    const char* error;
  };
  const Case cases[] = {
      {json::object(), "metadata.name: is missing"},
      {json::array(), "metadata.name: is missing"},
      {Template(json::object()), "spec.spec.devices.requests: must be a list"},
      {Template(json::array({json::object()})),
       "spec.spec.devices.requests: holds one without a name"},
      {Template(json::array({7})), "spec.spec.devices.requests: holds one without a name"}};
  for (const Case& c : cases) {
    INFO(c.object.dump());
    const auto parsed = ParseClaimTemplate(c.object, KnownGpuClasses());
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().ToString() == c.error);
  }
  const auto own = ParseClaimTemplate(
      Template(json::array({{{"name", "r"}, {"exactly", {{"deviceClassName", "own"}}}}})), {"own"});
  CHECK(own->gpus.at("r") == 1);
}

TEST_CASE("containers have the GPUs of their claims beside those of their resources") {
  struct Case {
    const char* name;
    const char* spec;
    const char* found;
  };
  const Case cases[] = {
      {"a whole claim", R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a"},{"name":"b","resources":{"claims":[{"name":"g"}]}}]})",
       "b=5 total 5"},
      {"one request", R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g","request":"big"}]}}]})",
       "a=4 total 4"},
      {"a request and the whole",
       R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g","request":"big"},
                                                          {"name":"g"}]}}]})",
       "a=5 total 5"},
      {"two claims from one template", R"({"resourceClaims":[
           {"name":"g","resourceClaimTemplateName":"t"},
           {"name":"h","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g"}]}},
                       {"name":"b","resources":{"claims":[{"name":"h"}]}}]})",
       "a=5 b=5 total 10"},
      {"a claim that two share",
       R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g"}]}},
                       {"name":"b","resources":{"claims":[{"name":"g"}]}}]})",
       "a=5 b=5 total 5"},
      {"a claim that two divide",
       R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g","request":"big"}]}},
                       {"name":"b","resources":{"claims":[{"name":"g","request":"small"}]}}]})",
       "a=4 b=1 total 5"},
      {"shared with a sidecar and an init container",
       R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"g"}]}}],
         "initContainers":[{"name":"i","resources":{"claims":[{"name":"g"}]}},
           {"name":"s","restartPolicy":"Always","resources":{"claims":[{"name":"g"}]}}]})",
       "a=5 s=5 total 5"},
      {"of an init container alone",
       R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a"}],
         "initContainers":[{"name":"i","resources":{"claims":[{"name":"g"}]}}]})",
       "a=0 total 5"},
      {"resources too", R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"}],
         "containers":[{"name":"a","resources":{"limits":{"nvidia.com/gpu":"2"},
                                                "claims":[{"name":"g"}]}}]})",
       "a=7 total 7"},
      {"other devices", R"({"resourceClaims":[{"name":"n","resourceClaimTemplateName":"net"}],
         "containers":[{"name":"a","resources":{"claims":[{"name":"n"}]}}]})",
       "a=0 total 0"},
      {"a claim that no container has", R"({"resourceClaims":[
           {"name":"g","resourceClaimTemplateName":"t"}],"containers":[{"name":"a"}]})",
       "a=0 total 0"},
  };
  const Templates templates;
  for (const Case& c : cases) {
    INFO(c.name);
    const PodView pod = Read(c.spec);
    const ClaimGpus claims = CountClaims(pod, templates.pointers);
    CHECK(Show(FindGpuContainers(pod, "nvidia.com/gpu", "", claims)) == c.found);
    CHECK(claims.unknown.empty());
    CHECK(claims.unknown_in == nullptr);
  }
}

TEST_CASE("a claim that cannot be counted says why, and the others count") {
  struct Case {
    const char* claims;  // of the pod
    const char* uses;    // of the container
    const char* why;
    std::int64_t gpus;
  };
  const Case cases[] = {
      {R"([{"name":"g","resourceClaimName":"own"}])", R"([{"name":"g"}])",
       "claim g: it is not made from a template", 0},
      {R"([{"name":"g","resourceClaimTemplateName":"x"}])", R"([{"name":"g"}])",
       "claim g: ResourceClaimTemplate x is not known", 0},
      {R"([{"name":"g","resourceClaimTemplateName":"vague"}])", R"([{"name":"g"}])",
       "claim g: ResourceClaimTemplate vague does not tell how many", 0},
      {R"([{"name":"g","resourceClaimTemplateName":"t"}])", R"([{"name":"g","request":"x"}])",
       "claim g: ResourceClaimTemplate t does not tell how many", 0},
      {R"([])", R"([{"name":"g"}])", "claim g: the pod has none of that name", 0},
      {R"([{"name":"g","resourceClaimName":"own"},{"name":"h","resourceClaimTemplateName":"t"}])",
       R"([{"name":"g"},{"name":"h"},{"name":"g"}])", "claim g: it is not made from a template", 5},
  };
  const Templates templates;
  for (const Case& c : cases) {
    INFO(c.why);
    const PodView pod =
        Read(std::string(R"({"resourceClaims":)") + c.claims +
             R"(,"containers":[{"name":"a"},{"name":"b","resources":{"claims":)" + c.uses + "}}]}");
    const ClaimGpus counted = CountClaims(pod, templates.pointers);
    CHECK(counted.unknown == std::vector<std::string>{c.why});
    CHECK(counted.unknown_in == &pod.containers[1]);
    CHECK(counted.Of(pod.containers[1]) == c.gpus);
  }
}

TEST_CASE("of claims that cannot be counted twenty are told, however many there are") {
  std::string uses = R"({"name":"g0"})";
  for (int i = 1; i < 30; ++i) uses += R"(,{"name":"g)" + std::to_string(i) + R"("})";
  const PodView pod = Read(R"({"containers":[{"resources":{"claims":[)" + uses + "]}}]}");
  CHECK(CountClaims(pod, {}).unknown.size() == 20);
}

TEST_CASE("what a given number says beyond the counted claims, an uncounted one holds") {
  const PodView pod = Read(R"({"resourceClaims":[{"name":"g","resourceClaimTemplateName":"t"},
        {"name":"h","resourceClaimName":"own"}],
      "containers":[{"name":"a","resources":{"claims":[{"name":"g"}]}},
                    {"name":"b","resources":{"claims":[{"name":"h"}]}}]})");
  InferenceService service;
  service.name = "s";
  service.selector = LabelSelector{};
  const Templates templates;
  PodContext context;
  context.services = {&service};
  context.claim_templates = templates.pointers;

  PodDecision decision = DecidePod(pod, context);
  CHECK(decision.gpus == 5);  // what is known
  REQUIRE(decision.notes.size() == 1);
  CHECK(decision.notes[0].reason == Reason::kResourceClaims);
  service.gpu_count = 8;
  decision = DecidePod(pod, context);
  CHECK(decision.gpus == 8);
  CHECK(decision.notes.empty());
  service.gpu_count = 2;  // fewer than there are
  decision = DecidePod(pod, context);
  CHECK(decision.gpus == 5);
  REQUIRE(decision.notes.size() == 1);
  CHECK(decision.notes[0].reason == Reason::kParallelismMismatch);
}

TEST_CASE("GPUs are not added beside claims, unless these are counted to hold none") {
  struct Case {
    const char* claim;
    bool counted;
    int gpus;
    bool added;
  };
  const Case cases[] = {{R"("resourceClaimTemplateName":"t")", true, 5, false},
                        {R"("resourceClaimTemplateName":"net")", true, 2, true},
                        {R"("resourceClaimTemplateName":"vague")", true, 2, false},
                        {R"("resourceClaimName":"own")", true, 2, false},
                        {R"("resourceClaimTemplateName":"t")", false, 2, false},
                        {R"("resourceClaimTemplateName":"net")", false, 2, false}};
  InferenceService service;
  service.name = "s";
  service.gpu_count = 2;
  const Templates templates;
  for (const Case& c : cases) {
    INFO(c.claim << " counted " << c.counted);
    const auto pod = ReadPod(std::string_view(
        std::string(R"({"metadata":{"labels":{"shm-operator.dev/service":"s"}},"spec":{
          "resourceClaims":[{"name":"g",)") +
        c.claim + R"(}],"containers":[{"name":"a","resources":{"claims":[{"name":"g"}]}}]}})"));
    REQUIRE(pod.ok());
    PodContext context;
    context.services = {&service};
    if (c.counted) context.claim_templates = templates.pointers;
    const PodDecision decision = DecidePod(*pod, context);
    CHECK(decision.gpus == c.gpus);
    const bool added = RenderJsonPatch(decision.patch).find("nvidia.com~1gpu") != std::string::npos;
    CHECK(added == c.added);
  }
}

}  // namespace shm
