// What is too large for a golden case.
#include "core/mutation.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace shm {
namespace {

using nlohmann::json;

constexpr std::size_t kMost = 256 * 1024;  // of all keys and values: the API server's limit

json PodWithAnnotation(std::size_t bytes) {
  return {
      {"metadata", {{"name", "p"}, {"annotations", {{"a", std::string(bytes - 1, 'x')}}}}},
      {"spec",
       {{"containers",
         json::array({{{"name", "c"}, {"resources", {{"limits", {{"nvidia.com/gpu", 2}}}}}}})}}}};
}

PodDecision Decide(const json& document) {
  const auto pod = ReadPodDocument(document);
  REQUIRE(pod.ok());
  return DecidePod(*pod, {});
}

}  // namespace

TEST_CASE("A1: a pod whose annotations leave no room for ours is let alone, with a warning") {
  const json document = PodWithAnnotation(1000);
  const PodDecision decision = Decide(document);
  REQUIRE(decision.outcome == Outcome::kInjected);
  const json patched = document.patch(json::parse(RenderJsonPatch(decision.patch)));
  std::size_t ours = 0;
  for (const auto& [key, value] : patched["metadata"]["annotations"].items()) {
    if (key != "a") ours += key.size() + value.get<std::string>().size();
  }

  CHECK(Decide(PodWithAnnotation(kMost - ours)).outcome == Outcome::kInjected);
  const PodDecision full = Decide(PodWithAnnotation(kMost - ours + 1));
  CHECK(full.outcome == Outcome::kSkipped);
  CHECK(full.reason == Reason::kAnnotationsFull);
  CHECK(full.patch.empty());
  REQUIRE(full.Warnings().size() == 1);
  CHECK_THAT(full.Warnings()[0], Catch::Contains("256 KiB"));
}

TEST_CASE("an annotation of ours that is there already takes no room beside the new one") {
  json document = PodWithAnnotation(1000);
  document["metadata"]["annotations"] = {
      {"shm-operator.dev/injection", std::string(kMost - 100, 'x')}};
  CHECK(Decide(document).outcome == Outcome::kInjected);
}

}  // namespace shm
