#include "cli/scan_row.h"

#include <algorithm>
#include <utility>

#include "core/mutation.h"

namespace shm::cli {
namespace {

void AddReason(Reason reason, ScanRow* row) {
  const std::string name(ReasonName(reason));
  if (std::find(row->reasons.begin(), row->reasons.end(), name) == row->reasons.end()) {
    row->reasons.push_back(name);
  }
}

void Explain(const PodDecision& decision, ScanRow* row) {
  AddReason(decision.reason, row);
  for (const Note& note : decision.notes) AddReason(note.reason, row);
  // That a pod without GPUs is skipped for another reason too is of no interest.
  const bool idle = row->verdict == Verdict::kNoGpus && decision.outcome == Outcome::kSkipped;
  if (!decision.message.empty() && !idle) {
    row->warnings.push_back(Note{decision.reason, decision.message}.ToString());
  }
  for (const Note& note : decision.notes) row->warnings.push_back(note.ToString());
}

}  // namespace

ScanRow DescribePod(const ScannedPod& pod, const Surroundings& around) {
  PodJudgement judged = JudgePod(pod.view, pod.namespace_name, around);
  ScanRow row;
  row.namespace_name = pod.namespace_name;
  row.pod = pod.view.name;
  row.node = pod.node;
  row.phase = pod.phase;
  row.service = std::move(judged.service);
  row.engine = std::move(judged.engine);
  row.gpus = judged.gpus;
  row.degrees = judged.degrees;
  row.present = judged.present;
  row.would_get = judged.decision.size;
  row.need = judged.need;
  row.injected = judged.injected;
  row.outcome = OutcomeName(judged.decision.outcome);
  row.covered = judged.covered;
  row.verdict = judged.verdict;
  row.arithmetic = judged.decision.arithmetic;
  Explain(judged.decision, &row);
  return row;
}

}  // namespace shm::cli
