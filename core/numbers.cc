#include "core/numbers.h"

#include <algorithm>

#include "core/names.h"
#include "core/quantity.h"

namespace shm {
namespace {

std::optional<int> CountAnnotation(const PodView& pod, const char* key, Notes* notes) {
  const std::string* text = pod.Annotation(key);
  if (!text) return std::nullopt;
  const auto count = ParseCount(*text);
  if (!count) {
    notes->push_back({Reason::kInvalidAnnotation, std::string(key) + " is ignored: \"" +
                                                      text->substr(0, 64) +
                                                      "\" is not a number from 1 to 1024"});
  }
  return count;
}

std::optional<std::int64_t> SizeAnnotation(const PodView& pod, Notes* notes) {
  const std::string* text = pod.Annotation(names::kShmSizeAnnotation);
  if (!text) return std::nullopt;
  const auto size = ParseQuantity(*text);
  if (size.ok() && *size > 0) return *size;
  notes->push_back(
      {Reason::kInvalidAnnotation, std::string(names::kShmSizeAnnotation) + " is ignored: " +
                                       (size.ok() ? "it must be above 0" : size.error().message)});
  return std::nullopt;
}

void ReadAnnotations(const PodView& pod, PodNumbers* numbers) {
  const auto offer = [&](Sourced<int>* number, const char* key) {
    number->Offer(CountAnnotation(pod, key, &numbers->notes), Source::kAnnotation);
  };
  offer(&numbers->tensor_parallel, names::kTensorParallelSizeAnnotation);
  offer(&numbers->pipeline_parallel, names::kPipelineParallelSizeAnnotation);
  offer(&numbers->data_parallel, names::kDataParallelSizeAnnotation);
  offer(&numbers->gpu_count, names::kGpuCountAnnotation);
  numbers->size.Offer(SizeAnnotation(pod, &numbers->notes), Source::kAnnotation);
}

void ReadService(const InferenceService& service, PodNumbers* numbers) {
  numbers->tensor_parallel.Offer(service.degrees.tensor_parallel, Source::kService);
  numbers->pipeline_parallel.Offer(service.degrees.pipeline_parallel, Source::kService);
  numbers->data_parallel.Offer(service.degrees.data_parallel, Source::kService);
  numbers->nodes.Offer(service.node_count, Source::kService);
  numbers->gpu_count.Offer(service.gpu_count, Source::kService);
  numbers->size.Offer(service.shared_memory.size, Source::kService);
}

// Of duplicate entries the last wins.
std::optional<int> CountInEnv(const ContainerView& container, std::string_view name) {
  std::optional<int> count;
  if (!container.env) return count;
  for (const EnvVar& entry : *container.env) {
    if (entry.name == name) count = entry.from_source ? std::nullopt : ParseCount(entry.value);
  }
  return count;
}

void ReadOtherOperators(const PodView& pod, const GpuContainers& gpus, PodNumbers* numbers) {
  for (const ContainerView* container : gpus.containers) {
    const auto offer = [&](Sourced<int>* number, const char* name) {
      number->Offer(CountInEnv(*container, name), Source::kPodFacts);
    };
    offer(&numbers->tensor_parallel, names::kTensorParallelSizeEnv);
    offer(&numbers->pipeline_parallel, names::kPipelineParallelSizeEnv);
    offer(&numbers->nodes, names::kRayNodeCountEnv);
  }
  if (const std::string* size = pod.Annotation(names::kLwsSizeAnnotation)) {
    numbers->nodes.Offer(ParseCount(*size), Source::kPodFacts);
  }
  numbers->nodes.Offer(pod.coming_nodes, Source::kPodFacts);
}

}  // namespace

std::optional<int> ParseCount(std::string_view text) {
  constexpr int kMost = 1024;
  if (text.empty() || text.size() > 8) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (value < 1 || value > kMost) return std::nullopt;
  return value;
}

bool PodNumbers::AnyOurs() const {
  return gpu_count.ours() || tensor_parallel.ours() || pipeline_parallel.ours() ||
         data_parallel.ours();
}

std::optional<std::int64_t> PodNumbers::Product() const {
  if (!tensor_parallel.value && !pipeline_parallel.value && !data_parallel.value &&
      !context_parallel.value) {
    return std::nullopt;
  }
  return std::int64_t{1} * tensor_parallel.value.value_or(1) * pipeline_parallel.value.value_or(1) *
         data_parallel.value.value_or(1) * context_parallel.value.value_or(1);
}

std::optional<int> PodNumbers::WantedGpus() const {
  if (gpu_count.value) return gpu_count.value;
  const auto product = Product();
  if (!product) return std::nullopt;
  const std::int64_t spans = nodes.value.value_or(1);
  return static_cast<int>(std::min<std::int64_t>((*product + spans - 1) / spans, kMostGpus));
}

bool PodNumbers::Divides() const { return Product().value_or(0) % nodes.value.value_or(1) == 0; }

PodNumbers ReadNumbers(const PodView& pod, const ServiceMatch& match, const GpuContainers& gpus) {
  PodNumbers numbers;
  ReadAnnotations(pod, &numbers);
  if (match.service) ReadService(*match.service, &numbers);
  ReadOtherOperators(pod, gpus, &numbers);
  return numbers;
}

}  // namespace shm
