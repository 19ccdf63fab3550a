#include "core/sizing.h"

#include <algorithm>

#include "core/quantity.h"

namespace shm {
namespace {

std::string Plural(int count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// "vLLM 160 MiB + 240 MiB × 2 workers + NCCL 516Mi for 4 communicators"
std::string NeedWords(const SizeInput& input) {
  std::string words;
  std::int64_t nccl = 0;
  for (const ContainerNeed& need : input.needs) {
    nccl = AddSaturating(nccl, need.nccl_bytes);
    if (need.engine_bytes > 0) words += (words.empty() ? "" : " + ") + need.engine_words;
  }
  if (nccl > 0) {
    words += (words.empty() ? "NCCL " : " + NCCL ") + FormatMebibytes(nccl) + " for " +
             Plural(input.communicators, "communicator");
  }
  return words;
}

std::string FormulaWords(const SizeInput& input, const SizeDecision& decision) {
  const std::string by_gpus = FormatBytes(input.size_per_gpu) + " × " + Plural(input.gpus, "GPU");
  const std::string result = " = " + FormatBytes(decision.computed);
  if (decision.need == 0) return by_gpus + result;
  return "max(" + by_gpus + ", need " + FormatMebibytes(decision.need) + " = " + NeedWords(input) +
         ")" + result;
}

void ApplyBound(const SizeInput& input, SizeDecision* decision) {
  if (!input.max_size || decision->size <= *input.max_size) return;
  decision->notes.push_back(
      {Reason::kCappedAtMaxSize, FormatBytes(decision->size) + " is above the maximum of " +
                                     FormatBytes(*input.max_size) + ", which is used"});
  decision->size = *input.max_size;
  decision->arithmetic += ", at most " + FormatBytes(*input.max_size);
}

}  // namespace

SizeDecision DecideSize(const SizeInput& input) {
  SizeDecision decision;
  for (const ContainerNeed& need : input.needs) {
    decision.need = AddSaturating(decision.need, AddSaturating(need.engine_bytes, need.nccl_bytes));
  }
  const std::int64_t by_gpus = MultiplySaturating(input.size_per_gpu, input.gpus);
  decision.computed = RoundUpToMebibyte(std::max(by_gpus, decision.need));
  decision.size = input.explicit_size.value_or(decision.computed);
  decision.arithmetic = decision.size == decision.computed
                            ? FormulaWords(input, decision)
                            : FormatBytes(decision.size) + " as " + input.explicit_source + " says";
  ApplyBound(input, &decision);
  // Below what the pod may really take, by a person's hand or by the bound.
  if (decision.size < decision.need) {
    decision.notes.push_back({Reason::kBelowComputedNeed,
                              FormatBytes(decision.size) + " is below the computed need of " +
                                  FormatMebibytes(decision.need) + " = " + NeedWords(input)});
  }
  return decision;
}

}  // namespace shm
