// What a real API server says of generated pods before and after the mutation, in dry runs.
// SHM_TEST_SEED repeats a run.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <optional>

#include "core/mutation.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/http_transport.h"
#include "tests/support/generated_pods.h"

namespace shm::test {
namespace {

using nlohmann::json;

constexpr int kPods = 500;
// No webhook of ours, installed by another test, is called for it.
constexpr const char* kNamespace = "kube-system";

// The generator's pods hold a field of the future: it is dropped, as on an older server.
kube::WriteOptions DryRun() {
  kube::WriteOptions options;
  options.dry_run = true;
  options.field_validation = "Ignore";
  return options;
}

// The server of $KUBECONFIG. One process for each of a thousand pods would take minutes.
class Server {
 public:
  Server() {
    kube::InitializeClientThreads();
    const char* path = std::getenv("KUBECONFIG");
    const auto config = kube::LoadKubeconfig(path ? path : "");
    if (!config.ok()) FAIL(config.error().ToString());
    auto transport = kube::MakeHttpTransport(*config);
    if (!transport.ok()) FAIL(transport.error().ToString());
    transport_ = std::move(*transport);
    client_ = std::make_unique<kube::Client>(*transport_);
  }

  kube::ApiResult<json> Create(const json& pod) {
    return client_->Create(kube::Pods(), kNamespace, pod, DryRun());
  }

 private:
  std::unique_ptr<kube::Transport> transport_;
  std::unique_ptr<kube::Client> client_;
};

// One generated pod and what services, defaults and, where they are counted, claims make of it.
class Sample {
 public:
  Sample(PodGenerator& generator, bool count_claims)
      : document_(generator.Pod()),
        services_(generator.Services()),
        templates_(generator.Templates()) {
    context_.namespace_name = kNamespace;
    context_.installation = generator.Defaults();
    for (const auto& service : services_) context_.services.push_back(&service);
    if (!count_claims) return;
    context_.claim_templates.emplace();
    for (const auto& one : templates_) context_.claim_templates->push_back(&one);
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  const json& document() const { return document_; }

  json PatchFor(const json& document) const {
    const auto pod = ReadPodDocument(document);
    if (!pod.ok()) FAIL(pod.error().ToString() << '\n' << document.dump());
    return json::parse(RenderJsonPatch(DecidePod(*pod, context_).patch));
  }

 private:
  const json document_;
  const std::vector<InferenceService> services_;
  const std::vector<ClaimTemplate> templates_;
  PodContext context_;
};

// Whether the server takes the pod as it is. Other failures than of the pod end the test.
std::optional<json> Accepted(Server& server, const json& pod) {
  const auto answer = server.Create(pod);
  if (answer.ok()) return *answer;
  if (answer.Is(kube::ErrorReason::kInvalid)) return std::nullopt;
  FAIL(answer.error().ToString() << '\n' << pod.dump());
  return std::nullopt;
}

// Ends the test unless the server takes the patched pod, and nothing is left to do to what it
// then has. Returns whether there was something to do.
bool CheckPatched(Server& server, const Sample& sample, const json& pod, const char* which) {
  const json patch = sample.PatchFor(pod);
  if (patch.empty()) return false;
  INFO("the pod " << which << "\n" << pod.dump() << "\n" << patch.dump());
  const auto answer = server.Create(pod.patch(patch));
  if (!answer.ok()) FAIL("refused: " << answer.error().ToString());
  const json again = sample.PatchFor(*answer);
  if (!again.empty()) FAIL("second pass: " << again.dump());
  return true;
}

// Whether the oldest API server would keep less of it: Kubernetes 1.30 does not know a pod's own
// resources, and drops its claims after it has asked the webhook.
bool IsNew(const json& pod) {
  return !pod["spec"].value("resources", json()).empty() ||
         !pod["spec"].value("resourceClaims", json()).empty();
}

}  // namespace

TEST_CASE("A1, A7: the API server accepts the patch of every generated pod that it accepts") {
  const unsigned seed = TestSeed();
  WARN("seed " << seed);
  PodGenerator generator(seed);
  Server server;
  const bool oldest = std::getenv("SHM_CLUSTER_KUBERNETES") != nullptr;
  int looked_at = 0;
  int valid = 0;
  int patched = 0;
  for (int i = 0; looked_at < kPods; ++i) {
    INFO("seed " << seed << ", pod " << i);
    const Sample sample(generator, i % 2 == 0);
    if (oldest && IsNew(sample.document())) continue;
    ++looked_at;
    const auto defaulted = Accepted(server, sample.document());
    if (!defaulted) continue;
    ++valid;
    patched += CheckPatched(server, sample, sample.document(), "as it is written");
    CheckPatched(server, sample, *defaulted, "with the server's defaults, as a webhook sees it");
  }
  WARN(valid << " of " << kPods << " pods are valid, " << patched << " of them are patched");
  CHECK(valid > kPods * 3 / 5);
  CHECK(patched > kPods / 4);
}

}  // namespace shm::test
