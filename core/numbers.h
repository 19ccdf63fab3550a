// The numbers of a pod (degrees, nodes, GPUs, an explicit size), each from the first source that
// has it: the pod's own annotations; the InferenceService that it belongs to; what other operators
// wrote into it (KServe's env, LeaderWorkerSet's annotation) and its engines' command lines.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/gpu_containers.h"
#include "core/inference_service.h"
#include "core/pod_view.h"
#include "core/reason.h"
#include "core/service_match.h"

namespace shm {

// In the order of precedence.
enum class Source { kNone, kAnnotation, kService, kPodFacts, kCommandLine };

template <typename T>
struct Sourced {
  std::optional<T> value;
  Source source = Source::kNone;

  // Takes a candidate only where no earlier source had the number.
  void Offer(const std::optional<T>& candidate, Source from) {
    if (value || !candidate) return;
    value = candidate;
    source = from;
  }
  // From a source that was written for this operator.
  bool ours() const { return source == Source::kAnnotation || source == Source::kService; }
};

struct PodNumbers {
  Sourced<int> tensor_parallel;
  Sourced<int> pipeline_parallel;
  Sourced<int> data_parallel;
  Sourced<int> context_parallel;  // of a command line alone; a factor of the product
  Sourced<int> nodes;             // pods that one replica spans; unset: 1
  Sourced<int> gpu_count;         // GPUs in each pod, as given; not the pod's own resources
  Sourced<std::int64_t> size;     // explicit, bytes
  Notes notes;                    // kInvalidAnnotation

  // Some degree or the GPUs come from a source that was written for this operator.
  bool AnyOurs() const;
  // TP × PP × DP × CP, missing ones 1; nothing where none is known.
  std::optional<std::int64_t> Product() const;
  // GPUs that each pod should have: gpu_count, else the product ÷ nodes, rounded up, at most
  // kMostGpus.
  std::optional<int> WantedGpus() const;
  // The product is more than nodes divide.
  bool Divides() const;
};

// Everything but the command lines: sources 1 to 3, and other operators' facts.
PodNumbers ReadNumbers(const PodView& pod, const ServiceMatch& match, const GpuContainers& gpus);

// A count as annotations and env hold it: decimal, 1 to 1024.
std::optional<int> ParseCount(std::string_view text);

}  // namespace shm
