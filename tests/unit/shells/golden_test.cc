// The shells of the one mutation engine, over the golden cases of the engine itself
// (tests/support/golden.h): what the webhook's handler answers and what `shmctl render` writes
// agree with expected.json, and with one another to the byte.
#include "tests/support/golden.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "cli/app.h"
#include "core/base64.h"
#include "tests/support/shell.h"
#include "webhook/admission.h"

namespace shm::test {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr char kUid[] = "705ab4f5-6393-11e8-b7cc-42010a800002";

// The case's pod as kubectl or a controller would send it.
Ordered DocumentOf(const GoldenCase& golden) {
  const Ordered pod = Ordered::parse(golden.pod);
  Ordered document = {{"apiVersion", "v1"}, {"kind", "Pod"}};
  document.update(pod);
  return document;
}

json NamespaceOf(const GoldenCase& golden) {
  return {
      {"apiVersion", "v1"},
      {"kind", "Namespace"},
      {"metadata", {{"name", kGoldenNamespace}, {"annotations", golden.namespace_annotations}}}};
}

// The webhook's handler, its stores filled as its watches fill them.
class Handler {
 public:
  explicit Handler(const GoldenCase& golden) {
    AdmissionOptions(golden);
    services_.BeginList();
    for (json object : golden.services) {
      object["metadata"]["namespace"] = kGoldenNamespace;
      services_.Upsert({kGoldenNamespace, object["metadata"]["name"]}, Versioned(object));
    }
    services_.EndList();
    namespaces_.BeginList();
    namespaces_.Upsert({"", kGoldenNamespace}, Versioned(NamespaceOf(golden)));
    namespaces_.EndList();
    claim_templates_.BeginList();
    for (const json& object : golden.claim_templates) {
      claim_templates_.Upsert({kGoldenNamespace, object["metadata"]["name"]}, Versioned(object));
    }
    claim_templates_.EndList();
  }

  json Answer(const Ordered& pod, bool dry_run, const char* path) {
    const Ordered review = {{"apiVersion", "admission.k8s.io/v1"},
                            {"kind", "AdmissionReview"},
                            {"request",
                             {{"uid", kUid},
                              {"kind", {{"group", ""}, {"version", "v1"}, {"kind", "Pod"}}},
                              {"namespace", kGoldenNamespace},
                              {"operation", "CREATE"},
                              {"dryRun", dry_run},
                              {"object", pod}}}};
    const std::string body = review.dump();
    runtime::Request request{};
    request.method = "POST";
    request.path = path;
    request.body = body;
    request.first_byte = std::chrono::steady_clock::now();
    const runtime::Response response = admission_->Answer(request);
    REQUIRE(response.status == 200);
    return json::parse(response.body).at("response");
  }

 private:
  static json Versioned(json object) {
    object["metadata"]["resourceVersion"] = "1";
    object["metadata"]["uid"] = "u";
    return object;
  }

  void AdmissionOptions(const GoldenCase& golden) {
    webhook::AdmissionOptions options;
    options.installation = golden.installation;
    options.wait = std::chrono::milliseconds(0);
    webhook::AdmissionSources sources{services_, namespaces_};
    if (!golden.claim_templates.is_null()) sources.claim_templates = &claim_templates_;
    admission_ = std::make_unique<webhook::Admission>(sources, metrics_, std::move(options));
  }

  kube::Store<InferenceService> services_{ParseInferenceService};
  kube::Store<webhook::NamespaceRecord> namespaces_{webhook::ParseNamespaceRecord};
  kube::Store<ClaimTemplate> claim_templates_{
      [](const json& object) { return ParseClaimTemplate(object, KnownGpuClasses()); }};
  runtime::Metrics metrics_;
  std::unique_ptr<webhook::Admission> admission_;
};

// The InferenceServices and the rest that a pod's manifest would stand beside.
std::string SurroundingsOf(const GoldenCase& golden) {
  json items = json::array({NamespaceOf(golden)});
  for (json object : golden.services) {
    object["apiVersion"] = "shm-operator.dev/v1alpha1";
    object["kind"] = "InferenceService";
    items.push_back(std::move(object));
  }
  for (json object : golden.claim_templates) {
    object["apiVersion"] = "resource.k8s.io/v1";
    object["kind"] = "ResourceClaimTemplate";
    items.push_back(std::move(object));
  }
  return json({{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}).dump();
}

const char* PolicyName(MemoryLimitPolicy policy) {
  return policy == MemoryLimitPolicy::kWarn    ? "Warn"
         : policy == MemoryLimitPolicy::kRaise ? "Raise"
                                               : "Reject";
}

struct Rendered {
  int code;
  std::string out;
  std::string err;
};

Rendered Render(const GoldenCase& golden, const Ordered& pod) {
  const TempDir folder;
  const std::string services = folder.path() + "/services.json";
  std::ofstream(services) << SurroundingsOf(golden);
  const InstallationDefaults& own = golden.installation;
  std::vector<std::string> args = {"render",
                                   "-f",
                                   "-",
                                   "--services",
                                   services,
                                   "-n",
                                   kGoldenNamespace,
                                   "--size-per-gpu",
                                   std::to_string(own.size_per_gpu),
                                   "--memory-headroom",
                                   std::to_string(own.memory_headroom),
                                   "--memory-limit-policy",
                                   PolicyName(own.memory_limit_policy)};
  if (own.max_size) args.insert(args.end(), {"--max-size", std::to_string(*own.max_size)});
  if (own.audit) args.push_back("--audit");
  if (!golden.claim_templates.is_null()) args.push_back("--count-resource-claims");
  std::istringstream in(pod.dump());
  std::ostringstream out;
  std::ostringstream err;
  const int code = cli::Run(args, in, out, err);
  return {code, out.str(), err.str()};
}

// A KRM function's ResourceList in and out, the pod being its first item.
Ordered RunFunction(const GoldenCase& golden, const Ordered& pod) {
  const InstallationDefaults& own = golden.installation;
  Ordered data = {{"sizePerGPU", std::to_string(own.size_per_gpu)},
                  {"memoryHeadroom", std::to_string(own.memory_headroom)},
                  {"memoryLimitPolicy", PolicyName(own.memory_limit_policy)},
                  {"namespace", kGoldenNamespace},
                  {"audit", own.audit ? "true" : "false"},
                  {"countResourceClaims", golden.claim_templates.is_null() ? "false" : "true"}};
  if (own.max_size) data["maxSize"] = std::to_string(*own.max_size);
  Ordered list = {{"apiVersion", "config.kubernetes.io/v1"},
                  {"kind", "ResourceList"},
                  {"functionConfig", {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"data", data}}},
                  {"items", {pod, Ordered::parse(SurroundingsOf(golden))}}};
  std::istringstream in(list.dump());
  std::ostringstream out;
  std::ostringstream err;
  cli::Run({"krm"}, in, out, err);
  INFO(err.str());
  REQUIRE(!out.str().empty());
  return Ordered::parse(out.str());
}

std::string PatchOf(const json& response) {
  if (!response.contains("patch")) return "[]";
  CHECK(response.at("patchType") == "JSONPatch");
  return *DecodeBase64(response.at("patch").get<std::string>());
}

}  // namespace

TEST_CASE("A3: the webhook answers the golden cases with their patch, their warnings and the uid") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      Handler handler(golden);
      const json response = handler.Answer(DocumentOf(golden), false, webhook::kLabelledPath);
      CHECK(response.at("uid") == kUid);
      CHECK(response.contains("patch") == response.contains("patchType"));
      CHECK(json::parse(PatchOf(response)) == golden.expected.at("patch"));
      const std::string outcome = golden.expected.at("outcome");
      const bool audited = golden.installation.audit;
      const bool refused = !audited && (outcome == "Denied" || outcome == "UnknownService");
      CHECK(response.at("allowed") == !refused);
      if (refused) continue;
      json warnings = json::array();
      for (const json& warning : golden.expected.at("warnings")) {
        warnings.push_back("shm-operator: " + warning.get<std::string>());
      }
      CHECK(response.value("warnings", json::array()) == warnings);
    }
  }
}

TEST_CASE("A9: a dry run is answered as the real request is") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      Handler handler(golden);
      const Ordered pod = DocumentOf(golden);
      CHECK(handler.Answer(pod, true, webhook::kLabelledPath) ==
            handler.Answer(pod, false, webhook::kLabelledPath));
    }
  }
}

TEST_CASE("shmctl krm gives back the golden pods as the webhook's patch makes them, to the byte") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      const Ordered pod = DocumentOf(golden);
      const std::string patch = PatchOf(Handler(golden).Answer(pod, false, webhook::kLabelledPath));
      const Ordered answer = RunFunction(golden, pod);
      CHECK(answer["items"][0].dump() == pod.patch(Ordered::parse(patch)).dump());
      std::vector<std::string> warnings;
      for (const auto& result : answer.value("results", Ordered::array())) {
        if (result["severity"] == "warning") warnings.push_back(result["message"]);
      }
      CHECK(json(warnings) == golden.expected.at("warnings"));
    }
  }
}

TEST_CASE("shmctl render writes the golden pods as the webhook's patch makes them, to the byte") {
  for (const auto& folder : GoldenFolders()) {
    DYNAMIC_SECTION(folder.filename().string()) {
      const GoldenCase golden = ReadGolden(folder);
      const Ordered pod = DocumentOf(golden);
      const std::string patch = PatchOf(Handler(golden).Answer(pod, false, webhook::kLabelledPath));
      const Rendered rendered = Render(golden, pod);
      INFO(rendered.err);
      const std::string wanted =
          patch == "[]" ? pod.dump() : pod.patch(Ordered::parse(patch)).dump() + "\n";
      CHECK(rendered.out == wanted);
      const std::string outcome = golden.expected.at("outcome");
      const bool refused = outcome == "Denied" || outcome == "UnknownService" ||
                           golden.expected.at("reason") == "Internal";
      CHECK(rendered.code == (refused && !golden.installation.audit ? 1 : 0));
      for (const json& warning : golden.expected.at("warnings")) {
        CHECK(rendered.err.find(warning.get<std::string>() + "\n") != std::string::npos);
      }
      // A7: what was rendered is left as it is.
      const Rendered again = Render(golden, Ordered::parse(rendered.out));
      CHECK(again.out == Ordered::parse(rendered.out).dump());
    }
  }
}

}  // namespace shm::test
