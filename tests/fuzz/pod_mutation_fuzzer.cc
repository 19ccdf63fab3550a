// Any bytes as a pod: it is refused, or its patch applies and a second pass over it is empty.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/mutation.h"

namespace {

shm::PodContext Context(const shm::InferenceService& labelled,
                        const shm::InferenceService& selecting) {
  shm::PodContext context;
  context.namespace_name = "llm";
  context.services = {&labelled, &selecting};
  context.installation.memory_limit_policy = shm::MemoryLimitPolicy::kRaise;
  static const shm::ClaimTemplate kTemplate{"t", {{"r", 4}, {"vague", std::nullopt}}};
  context.claim_templates = shm::ClaimTemplates{&kTemplate};
  return context;
}

shm::InferenceService Service(const char* name) {
  shm::InferenceService service;
  service.name = name;
  service.degrees.tensor_parallel = 2;
  return service;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto pod = shm::ReadPod(text);
  if (!pod.ok()) return 0;
  const shm::InferenceService labelled = Service("tied");
  shm::InferenceService selecting = Service("selecting");
  selecting.selector = shm::LabelSelector{{{"app", "engine"}}, {}};
  selecting.gpu_count = 4;
  const shm::PodContext context = Context(labelled, selecting);

  const shm::PodDecision first = shm::DecidePod(*pod, context);
  if (first.reason == shm::Reason::kInternal) std::abort();
  const nlohmann::json document = nlohmann::json::parse(text);
  const auto again = shm::ReadPodDocument(
      document.patch(nlohmann::json::parse(shm::RenderJsonPatch(first.patch))));
  if (!again.ok()) std::abort();
  if (!shm::DecidePod(*again, context).patch.empty()) std::abort();
  return 0;
}
