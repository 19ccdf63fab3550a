// The answer of `shmctl scan`: rows, their summary, and the ways they are written.
//
// Pure but for the stream that is given; safe from any thread.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/scan_row.h"

namespace shm::cli {

struct ScanSummary {
  std::size_t scanned = 0;      // pods that were looked at; those that have ended are not
  std::size_t with_gpus = 0;    // of them
  std::size_t too_small = 0;    // have less than they would get or may take
  std::size_t below_need = 0;   // of those: less than NCCL and the engine may take
  std::size_t not_covered = 0;  // of the too small ones: the webhook would not see them again
  std::vector<std::string> uncovered_namespaces;  // theirs, as far as a label opens them; sorted
};

// Collects rows; those of pods without GPUs, of which there may be very many, only where `all`.
class ScanReport {
 public:
  explicit ScanReport(bool all = false) : all_(all) {}

  void Add(ScanRow row);
  void Clear() { *this = ScanReport(all_); }  // to scan once more
  void Sort();  // worst first: below the need, TooSmall, NotOurs, Enough, NoGpus; then by name

  const std::vector<ScanRow>& rows() const { return rows_; }
  ScanSummary Summary() const;

 private:
  bool all_;
  std::size_t scanned_ = 0;
  std::size_t with_gpus_ = 0;
  std::vector<ScanRow> rows_;
};

// {"pods": [{
//    "namespace", "pod", "node", "phase", "service", "engine"   text, null where there is none
//    "gpus"                                                     in the pod
//    "tensorParallelSize", "pipelineParallelSize", "dataParallelSize"   null: nothing says
//    "sharedMemoryBytes"      what it has at /dev/shm; null: not known, as its source says
//    "sharedMemorySource"     Runtime, SizeLimit, MemoryLimit, NodeAllocatable, HostIpc,
//                             ForeignVolume, ReadOnly, CrioAnnotation
//    "wouldGetBytes"          what a new pod of its kind would get; null: no volume
//    "needBytes"              what NCCL and its engine may take
//    "injected"               the webhook made its /dev/shm
//    "outcome"                Injected, Unchanged, Skipped, UnknownService, Denied
//    "covered"                the webhook would see it made again; null: not known
//    "verdict"                TooSmall, Enough, NotOurs, NoGpus
//    "belowNeed"              it has less than needBytes
//    "arithmetic", "reasons", "warnings"
//  }],
//  "summary": {"scanned", "withGpus", "tooSmall", "belowNeed", "notCovered"}}
nlohmann::ordered_json ToJson(const ScanReport& report);

// As kubectl writes tables: columns by two letters' distance or more, a heading even over no rows.
void WriteTable(const ScanReport& report, std::ostream& out);

// One or a few lines: how many, and what is to be done.
void WriteSummary(const ScanReport& report, std::ostream& out);

}  // namespace shm::cli
