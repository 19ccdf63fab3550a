#include "webhook/admission.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "core/base64.h"

namespace shm::webhook {
namespace {

using nlohmann::json;
using Decision = std::function<PodDecision(const PodView&, const PodContext&)>;

json Named(const std::string& namespace_name, const std::string& name) {
  return {
      {"metadata",
       {{"namespace", namespace_name}, {"name", name}, {"uid", name}, {"resourceVersion", "1"}}}};
}

PodDecision Decided(Outcome outcome, std::string message = "") {
  PodDecision decision;
  decision.outcome = outcome;
  decision.reason = Reason::kSized;
  decision.message = std::move(message);
  decision.notes = {{Reason::kEnvFrom, "careful"}};
  if (outcome == Outcome::kInjected) {
    decision.patch = {{PatchOperation::Kind::kAdd, {"metadata", "labels"}, "{}"}};
  }
  return decision;
}

constexpr char kPatch[] = R"([{"op":"add","path":"/metadata/labels","value":{}}])";

// Injects whatever belongs to a known InferenceService, or to none by its label.
PodDecision InjectKnown(const PodView& pod, const PodContext& context) {
  const std::string* label = pod.Label("shm-operator.dev/service");
  if (label != nullptr && context.services.empty()) {
    PodDecision decision =
        Decided(Outcome::kUnknownService, "no " + *label + " in " + context.namespace_name);
    decision.reason = Reason::kUnknownService;
    decision.service = *label;
    return decision;
  }
  return Decided(Outcome::kInjected);
}

// An Admission over stores that hold what a test puts there, and a decision of the test's.
struct Bench {
  explicit Bench(Decision decide = InjectKnown, bool synced = true,
                 std::chrono::milliseconds wait = std::chrono::milliseconds(0), int waiters = 2) {
    AdmissionOptions options;
    options.decide = std::move(decide);
    options.wait = wait;
    options.waiters = waiters;
    admission = std::make_unique<Admission>(AdmissionSources{services, namespaces}, metrics,
                                            std::move(options));
    services.BeginList();
    namespaces.BeginList();
    if (!synced) return;
    services.EndList();
    namespaces.EndList();
  }

  void Add(const std::string& namespace_name, const std::string& name) {
    services.Upsert({namespace_name, name}, Named(namespace_name, name));
  }

  runtime::Response Post(const std::string& path, const std::string& body) {
    runtime::Request request{};
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.first_byte = std::chrono::steady_clock::now();
    return admission->Answer(request);
  }

  bool Counted(const std::string& entry, const std::string& outcome, const std::string& reason) {
    return metrics.Exposition().find("shm_webhook_requests_total{entry=\"" + entry +
                                     "\",outcome=\"" + outcome + "\",reason=\"" + reason +
                                     "\"} 1") != std::string::npos;
  }

  kube::Store<InferenceService> services{[](const json& object) -> Result<InferenceService> {
    InferenceService service;
    service.name = object["metadata"]["name"];
    if (service.name.starts_with("selecting")) service.selector = LabelSelector{};
    return service;
  }};
  kube::Store<NamespaceRecord> namespaces{ParseNamespaceRecord};
  runtime::Metrics metrics;
  std::unique_ptr<Admission> admission;
};

json Review(const json& changes = json::object()) {
  json review = json::parse(R"({
    "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
    "request": {"uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "namespace": "llm", "operation": "CREATE",
                "object": {"metadata": {"generateName": "a-"},
                           "spec": {"containers": [{"name": "c"}]}}}})");
  review.merge_patch(changes);
  return review;
}

json Labelled(const std::string& service) {
  return Review(
      {{"request",
        {{"object", {{"metadata", {{"labels", {{"shm-operator.dev/service", service}}}}}}}}}});
}

json ResponseOf(const runtime::Response& response) {
  REQUIRE(response.status == 200);
  REQUIRE(response.content_type == "application/json");
  return json::parse(response.body)["response"];
}

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
  CHECK(bench.admission->Ready());
  CHECK_FALSE(bench.Ask().contains("patch"));
}

TEST_CASE("When all who may wait do, the next is answered at once") {
  Bench bench(InjectKnown, true, std::chrono::hours(1), 0);
  CHECK(ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()))["allowed"] == false);
}

TEST_CASE("A11: with caches not complete nothing is denied for what is not known") {
  Bench bench(InjectKnown, false);
  CHECK_FALSE(bench.admission->Ready());
  const json response = ResponseOf(bench.Post(kLabelledPath, Labelled("qwen").dump()));
  CHECK(response["allowed"] == true);
  CHECK(response.contains("patch"));  // by what the operator stamped into the pod
  CHECK(response["warnings"].size() == 2);
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
