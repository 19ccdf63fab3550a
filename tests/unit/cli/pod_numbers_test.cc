#include "cli/pod_numbers.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace shm::cli {
namespace {

PodView With(const char* resource, const nlohmann::json& quantity) {
  return *ReadPodDocument(
      {{"spec",
        {{"containers",
          {{{"name", "a"}},
           {{"name", "b"}, {"resources", {{"limits", {{resource, quantity}}}}}}}}}}});
}

}  // namespace

TEST_CASE("GPUs that are no whole number from 0 to 1024 are told with their field") {
  for (const nlohmann::json& good : {nlohmann::json("2"), nlohmann::json(2), nlohmann::json("0"),
                                     nlohmann::json("1024"), nlohmann::json("1k")}) {
    INFO(good);
    CHECK(CheckPodNumbers(With("nvidia.com/gpu", good)).ok());
  }
  for (const nlohmann::json& bad :
       {nlohmann::json("two"), nlohmann::json(""), nlohmann::json(-1), nlohmann::json("1.5"),
        nlohmann::json("1500m"), nlohmann::json(1025), nlohmann::json("99999999999999999999"),
        nlohmann::json(1e20)}) {
    INFO(bad);
    const auto checked = CheckPodNumbers(With("nvidia.com/mig-1g.5gb", bad));
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().field == "spec.containers[1].resources.limits.nvidia.com/mig-1g.5gb");
  }
}

TEST_CASE("Memory that is no quantity is told with its field") {
  CHECK(CheckPodNumbers(With("memory", "2.5Gi")).ok());
  CHECK(CheckPodNumbers(With("cpu", "whatever")).ok());
  for (const char* bad : {"foo", "2G1", "-1Gi", "99999999999999999999999"}) {
    INFO(bad);
    CHECK(CheckPodNumbers(With("memory", bad)).error().field ==
          "spec.containers[1].resources.limits.memory");
  }
}

}  // namespace shm::cli
