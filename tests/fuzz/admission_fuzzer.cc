// Any bytes as a review, and any bytes as the pod of one, through the webhook's whole way from a
// body to its answer. There is an answer whatever comes; one that is a review carries the
// question's uid, its patch applies to the pod as it came, and the patched pod, asked about again,
// gets none.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base64.h"
#include "runtime/log.h"
#include "webhook/admission.h"

namespace {

using nlohmann::json;
using namespace shm;

// An Admission whose caches hold a service for each way to be found.
class Webhook {
 public:
  Webhook() {
    runtime::SetUpLog(runtime::LogLevel::kError, runtime::LogFormat::kText);
    services_.BeginList();
    Add("qwen", R"({"tensorParallelSize": 2})");
    Add("reject", R"({"tensorParallelSize": 2, "sharedMemory": {"memoryLimitPolicy": "Reject"}})");
    Add("selecting",
        R"({"tensorParallelSize": 4, "gpuCount": 4, "selector": {"matchLabels": {"app": "e"}},
            "sharedMemory": {"memoryLimitPolicy": "Raise"}})");
    services_.EndList();
    namespaces_.BeginList();
    namespaces_.EndList();
  }

  runtime::Response Post(const char* path, const std::string& body) {
    runtime::Request request{};
    request.method = "POST";
    request.path = path;
    request.body = body;
    return admission_.Answer(request);
  }

 private:
  static webhook::AdmissionOptions WithoutWaiting() {
    webhook::AdmissionOptions options;
    options.wait = {};
    return options;
  }
  void Add(const std::string& name, const char* spec) {
    services_.Upsert(
        {"llm", name},
        {{"metadata",
          {{"namespace", "llm"}, {"name", name}, {"uid", name}, {"resourceVersion", "1"}}},
         {"spec", json::parse(spec)}});
  }

  kube::Store<InferenceService> services_{ParseInferenceService};
  kube::Store<webhook::NamespaceRecord> namespaces_{webhook::ParseNamespaceRecord};
  runtime::Metrics metrics_;
  webhook::Admission admission_{{services_, namespaces_}, metrics_, WithoutWaiting()};
};

// The patch of an answer, null where there is none. Aborts where the answer is not well-formed.
json PatchOf(const json& answer) {
  if (!answer.at("allowed").is_boolean()) std::abort();
  if (answer.contains("patch") != answer.contains("patchType")) std::abort();
  if (!answer.contains("patch")) return nullptr;
  if (!answer.at("allowed").get<bool>()) std::abort();
  const auto patch = DecodeBase64(answer.at("patch").get<std::string>());
  if (!patch.ok()) std::abort();
  return json::parse(*patch);
}

// The patch that a body is answered with.
json Ask(Webhook& webhook, const char* path, const std::string& body) {
  const runtime::Response response = webhook.Post(path, body);
  if (response.status == 400) return nullptr;
  if (response.status != 200) std::abort();
  const json answer = json::parse(response.body).at("response");
  if (answer.at("uid").get<std::string>().empty()) std::abort();
  const json patch = PatchOf(answer);
  // Where there is a patch, another parser reads the same question.
  if (patch != nullptr && answer.at("uid") != json::parse(body).at("request").at("uid")) {
    std::abort();
  }
  return patch;
}

void Check(Webhook& webhook, const char* path, const std::string& body) {
  const json patch = Ask(webhook, path, body);
  if (patch == nullptr) return;
  json review = json::parse(body);
  json& object = review.at("request").at("object");
  object = object.patch(patch);  // throws where it does not apply
  if (Ask(webhook, path, review.dump()) != nullptr) std::abort();
}

std::string ReviewOf(std::string_view pod) {
  return R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u",)"
         R"("kind":{"group":"","version":"v1","kind":"Pod"},"namespace":"llm",)"
         R"("operation":"CREATE","object":)" +
         std::string(pod) + "}}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Webhook webhook;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const char* path : {webhook::kLabelledPath, webhook::kNamespacePath}) {
    Check(webhook, path, text);
    Check(webhook, path, ReviewOf(text));
  }
  return 0;
}
