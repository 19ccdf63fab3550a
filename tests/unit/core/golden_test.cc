// The engine over the golden cases (tests/support/golden.h). SHM_UPDATE_GOLDEN=1 writes their
// expected.json anew; read the difference before it is committed.
#include "tests/support/golden.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

namespace shm::test {
namespace {

using nlohmann::json;

json Describe(const PodDecision& decision) {
  json described = {{"outcome", OutcomeName(decision.outcome)},
                    {"reason", ReasonName(decision.reason)},
                    {"patch", json::parse(RenderJsonPatch(decision.patch))},
                    {"warnings", decision.Warnings()}};
  if (!decision.message.empty()) described["message"] = decision.message;
  return described;
}

TEST_CASE("golden pods get the patch and the warnings that are written down") {
  const bool update = std::getenv("SHM_UPDATE_GOLDEN") != nullptr;
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      const auto pod = ReadPod(golden.pod);
      INFO((pod.ok() ? "" : pod.error().ToString()));
      REQUIRE(pod.ok());
      const json actual = Describe(DecidePod(*pod, golden.Context()));
      if (update) std::ofstream(folder / "expected.json") << actual.dump(2) << '\n';
      INFO(actual.dump(2));
      CHECK((update || actual == golden.expected));
    }
  }
}

TEST_CASE("A4, A7: golden pods keep what is not ours, and a second pass over them is empty") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      const json document = json::parse(golden.pod);
      const auto pod = ReadPodDocument(document);
      REQUIRE(pod.ok());
      const PodDecision first = DecidePod(*pod, golden.Context());
      const json patched = document.patch(json::parse(RenderJsonPatch(first.patch)));
      const auto again = ReadPodDocument(patched);
      REQUIRE(again.ok());
      const PodDecision second = DecidePod(*again, golden.Context());
      CHECK(RenderJsonPatch(second.patch) == "[]");
      CHECK(second.size == first.size);
      CHECK(second.gpus == first.gpus);
    }
  }
}

TEST_CASE("golden pods read from text and from a document give the same view") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      CHECK(*ReadPod(golden.pod) == *ReadPodDocument(json::parse(golden.pod)));
    }
  }
}

}  // namespace
}  // namespace shm::test
