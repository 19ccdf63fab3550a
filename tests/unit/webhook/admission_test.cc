#include "webhook/admission.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "core/base64.h"
#include "tests/unit/webhook/admission_bench.h"

namespace shm::webhook {
namespace {

TEST_CASE("A3: a patch goes out with its type and the request's uid") {
  Bench bench;
  const json response = ResponseOf(bench.Post(kNamespacePath, Review().dump()));
  CHECK(response["uid"] == "u-1");
  CHECK(response["allowed"] == true);
  CHECK(response["patchType"] == "JSONPatch");
  CHECK(response["patch"] == EncodeBase64(kPatch));
  CHECK(response["warnings"] == json{"shm-operator: EnvFrom: careful"});
  CHECK(bench.Counted("namespace", "patched", "Sized"));
}

TEST_CASE("A8: the namespace of the request decides, whatever the pod says") {
  PodContext asked;
  Bench bench([&](const PodView&, const PodContext& context) {
    asked = context;
    return PodDecision{};
  });
  bench.Add("llm", "selecting-1");
  bench.Add("llm", "templated");
  bench.Add("other", "selecting-2");
  json space = Named("", "llm");
  space["metadata"]["annotations"] = {{"shm-operator.dev/size-per-gpu", "2Gi"}, {"x/y", "z"}};
  bench.namespaces.Upsert({"", "llm"}, space);
  bench.Post(kNamespacePath,
             Review({{"request", {{"object", {{"metadata", {{"namespace", "other"}}}}}}}}).dump());
  CHECK(asked.namespace_name == "llm");
  REQUIRE(asked.services.size() == 1);  // one with a template selects nothing
  CHECK(asked.name_space.size_per_gpu == 2LL << 30);
}

TEST_CASE("A label that names an InferenceService brings it alone to the decision") {
  std::vector<std::string> found;
  Bench bench([&](const PodView&, const PodContext& context) {
    for (const InferenceService* service : context.services) found.push_back(service->name);
    return PodDecision{};
  });
  bench.Add("llm", "qwen");
  bench.Add("llm", "selecting");
  CHECK(ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()))["allowed"] == true);
  CHECK(found == std::vector<std::string>{"qwen"});
}

TEST_CASE("A label that names an unknown InferenceService is denied on the labelled entry alone") {
  Bench bench;
  bench.Add("other", "qwen");
  const json denied = ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()));
  CHECK(denied["allowed"] == false);
  CHECK(denied["status"]["message"] == "no qwen in llm");
  CHECK_FALSE(denied.contains("patch"));
  CHECK(bench.Counted("labelled", "denied", "UnknownService"));
  const json admitted = ResponseOf(bench.Post(kNamespacePath, Labelled("qwen").dump()));
  CHECK(admitted["allowed"] == true);
  CHECK_FALSE(admitted.contains("patch"));
}

TEST_CASE("A pod that is faster than the watch waits for its InferenceService") {
  Bench bench(InjectKnown, true, std::chrono::seconds(30));
  std::thread watch([&bench] { bench.Add("llm", "qwen"); });
  CHECK(ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump())).contains("patch"));
  watch.join();
}

TEST_CASE("When all who may wait do, the next is answered at once") {
  Bench bench(InjectKnown, true, std::chrono::hours(1), 0);
  CHECK(ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()))["allowed"] == false);
}

TEST_CASE("A11: with caches not complete nothing is denied for what is not known") {
  Bench bench(InjectKnown, false);
  CHECK_FALSE(bench.admission->Ready("llm"));
  const json response = ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()));
  CHECK(response["allowed"] == true);
  CHECK(response.contains("patch"));  // by what the operator stamped into the pod
  CHECK(response["warnings"].size() == 2);
}

TEST_CASE("A11: a namespace that is not listed yet is on its own: others are answered as ever") {
  Bench bench(InjectKnown, false);
  for (const char* name : {"llm", "late"}) {
    kube::ObjectSink& services = bench.services.Part({name, ""});
    kube::ObjectSink& namespaces = bench.namespaces.Part({"", name});
    namespaces.BeginList();
    namespaces.EndList();
    services.BeginList();
    if (name == std::string("llm")) services.EndList();
  }
  CHECK(bench.admission->Ready("llm"));
  CHECK_FALSE(bench.admission->Ready("late"));
  CHECK(ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()))["allowed"] == false);
  json review = Labelled("qwen");
  review["request"]["namespace"] = "late";
  CHECK(ResponseOf(bench.Post(kLabelledPath, review.dump()))["allowed"] == true);
}

TEST_CASE("A pod of a namespace that is not watched is admitted as it is, with the reason") {
  Bench bench(InjectKnown);
  bench.services.Part({"other", ""});
  for (const char* path : {kLabelledPath, kNamespacePath}) {
    const json response = ResponseOf(bench.Post(path, Labelled("qwen").dump()));
    CHECK(response["allowed"] == true);
    CHECK_FALSE(response.contains("patch"));
    CHECK_THAT(response["warnings"][0].get<std::string>(),
               Catch::Contains("namespace llm") && Catch::Contains("watchNamespaces"));
  }
  CHECK(bench.Counted("labelled", "skipped", "NamespaceNotWatched"));
  CHECK(bench.Counted("namespace", "skipped", "NamespaceNotWatched"));
}

TEST_CASE("An audit denies nothing and changes nothing") {
  for (const Outcome outcome : {Outcome::kDenied, Outcome::kUnknownService, Outcome::kInjected}) {
    Bench bench([outcome](const PodView&, const PodContext&) {
      PodDecision decision = Decided(outcome, "why");
      decision.audited = true;
      decision.patch.clear();
      return decision;
    });
    const json response = ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()));
    CHECK(response["allowed"] == true);
    CHECK_FALSE(response.contains("patch"));
    CHECK_THAT(response["warnings"][0].get<std::string>(), Catch::Contains("audit: "));
    CHECK(bench.Counted("labelled", "audited", "Sized"));
  }
}

TEST_CASE("A1: whatever fails inside, the pod is admitted unchanged, with a warning, and counted") {
  const Decision throws[] = {
      [](const PodView&, const PodContext&) -> PodDecision { throw std::runtime_error("broken"); },
      [](const PodView&, const PodContext&) -> PodDecision { throw std::bad_alloc(); },
      [](const PodView&, const PodContext&) -> PodDecision { throw 7; },
  };
  for (const Decision& decide : throws) {
    Bench bench(decide);
    const json response = ResponseOf(bench.Post(kNamespacePath, Review().dump()));
    CHECK(response["uid"] == "u-1");
    CHECK(response["allowed"] == true);
    CHECK_FALSE(response.contains("patch"));
    CHECK(response["warnings"].size() == 1);
    CHECK(bench.Counted("namespace", "error", "Internal"));
  }
}

TEST_CASE("A1: a pod that cannot be read is admitted unchanged; only its author can mend it") {
  struct Row {
    const char* what;
    std::string body;
    const char* reason;
  };
  const std::string open = R"({"request":{"uid":"u-1","object":)";
  const Row rows[] = {
      {"cut off", open + "{\"a\":", "Unreadable"},
      {"too deep", open + std::string(600, '[') + std::string(600, ']') + "}}", "Unreadable"},
      {"containers of a wrong type",
       Review({{"request", {{"object", {{"spec", {{"containers", 7}}}}}}}}).dump(),
       "UnreadablePod"},
      {"no containers", Review({{"request", {{"object", {{"spec", nullptr}}}}}}).dump(),
       "UnreadablePod"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bench bench;
    const json response = ResponseOf(bench.Post(kLabelledPath, row.body));
    CHECK(response["uid"] == "u-1");
    CHECK(response["allowed"] == true);
    CHECK_FALSE(response.contains("patch"));
    CHECK(response["warnings"].size() == 1);
    CHECK(bench.Counted("labelled", "error", row.reason));
  }
}

TEST_CASE("What is no review is answered with 400 and the reason") {
  struct Row {
    std::string body;
    const char* said;
  };
  const Row rows[] = {
      {"", "empty"},
      {"garbage", "not valid JSON"},
      {"[]", "AdmissionReview"},
      {R"({"kind":"Pod","apiVersion":"v1"})", "\"Pod\" is not AdmissionReview"},
      {Review({{"apiVersion", "admission.k8s.io/v1beta1"}}).dump(), "v1beta1"},
      {Review({{"request", {{"uid", nullptr}}}}).dump(), "uid"},
      {std::string(3'000'000, '['), "deeper"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.said);
    Bench bench;
    const runtime::Response response = bench.Post(kLabelledPath, row.body);
    CHECK(response.status == 400);
    CHECK_THAT(response.body, Catch::Contains(row.said));
  }
}

TEST_CASE("A10: what is not the creation of a pod passes unchanged") {
  struct Row {
    json changes;
    const char* reason;
  };
  const Row rows[] = {
      {{{"operation", "UPDATE"}}, "NotCreate"},
      {{{"operation", "DELETE"}, {"object", nullptr}}, "NotCreate"},
      {{{"kind", {{"group", "apps"}, {"kind", "Deployment"}}}}, "NotAPod"},
      {{{"kind", {{"group", "x.dev"}}}}, "NotAPod"},
      {{{"subResource", "ephemeralcontainers"}}, "Subresource"},
      {{{"object", nullptr}}, "NoObject"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.changes.dump());
    Bench bench;
    const json response =
        ResponseOf(bench.Post(kLabelledPath, Review({{"request", row.changes}}).dump()));
    CHECK(response == json{{"uid", "u-1"}, {"allowed", true}});
    CHECK(bench.Counted("labelled", "skipped", row.reason));
  }
}

TEST_CASE("A9: a dry run is answered like any other") {
  Bench bench;
  const runtime::Response wet = bench.Post(kNamespacePath, Review().dump());
  const runtime::Response dry =
      bench.Post(kNamespacePath, Review({{"request", {{"dryRun", true}}}}).dump());
  CHECK(dry.body == wet.body);
}

TEST_CASE("A decision to deny or to change nothing sends no patch") {
  for (const Outcome outcome : {Outcome::kDenied, Outcome::kUnchanged, Outcome::kSkipped}) {
    Bench bench(
        [outcome](const PodView&, const PodContext&) { return Decided(outcome, "does not fit"); });
    const json response = ResponseOf(bench.Post(kNamespacePath, Review().dump()));
    CHECK(response["allowed"] == (outcome != Outcome::kDenied));
    CHECK_FALSE(response.contains("patch"));
    if (outcome == Outcome::kDenied) CHECK(response["status"]["message"] == "does not fit");
  }
}

TEST_CASE("A1: a decision that found a fault of its own is a counted error") {
  Bench bench([](const PodView&, const PodContext&) {
    PodDecision decision = Decided(Outcome::kSkipped, "the patch does not apply");
    decision.reason = Reason::kInternal;
    return decision;
  });
  const json response = ResponseOf(bench.Post(kNamespacePath, Review().dump()));
  CHECK(response["allowed"] == true);
  CHECK(response["warnings"].size() == 1);
  CHECK(bench.Counted("namespace", "error", "Internal"));
}

TEST_CASE("Only POST to the two entries is served") {
  Bench bench;
  CHECK(bench.Post("/", Review().dump()).status == 404);
  CHECK(bench.Post("/mutate/labelled/", Review().dump()).status == 404);
  runtime::Request get{};
  get.method = "GET";
  get.path = kLabelledPath;
  CHECK(bench.admission->Answer(get).status == 405);
}

}  // namespace
}  // namespace shm::webhook
