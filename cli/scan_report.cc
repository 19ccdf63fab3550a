#include "cli/scan_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <tuple>
#include <utility>

#include "cli/printable.h"
#include "core/names.h"
#include "core/quantity.h"
#include "core/reason.h"

namespace shm::cli {
namespace {

using Json = nlohmann::ordered_json;
using Cells = std::vector<std::string>;

int Rank(const ScanRow& row) {
  switch (row.verdict) {
    case Verdict::kTooSmall:
      return row.below_need() ? 0 : 1;
    case Verdict::kNotOurs:
      return 2;
    case Verdict::kEnough:
      return 3;
    case Verdict::kNoGpus:
      break;
  }
  return 4;
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json RowJson(const ScanRow& row) {
  Json json;
  json["namespace"] = row.namespace_name;
  json["pod"] = row.pod;
  json["node"] = TextOrNull(row.node);
  json["phase"] = TextOrNull(row.phase);
  json["service"] = TextOrNull(row.service);
  json["engine"] = TextOrNull(row.engine);
  json["gpus"] = row.gpus;
  json["tensorParallelSize"] = OrNull(row.degrees.tensor_parallel);
  json["pipelineParallelSize"] = OrNull(row.degrees.pipeline_parallel);
  json["dataParallelSize"] = OrNull(row.degrees.data_parallel);
  json["sharedMemoryBytes"] = OrNull(row.present.bytes);
  json["sharedMemorySource"] = ShmSourceName(row.present.source);
  json["wouldGetBytes"] = OrNull(row.would_get);
  json["needBytes"] = row.need;
  json["injected"] = row.injected;
  json["outcome"] = row.outcome;
  json["covered"] = OrNull(row.covered);
  json["verdict"] = VerdictName(row.verdict);
  json["belowNeed"] = row.below_need();
  json["arithmetic"] = row.arithmetic;
  json["reasons"] = row.reasons;
  json["warnings"] = row.warnings;
  return json;
}

constexpr const char* kNone = "<none>";
constexpr const char* kUnknown = "<unknown>";

std::string OrNone(const std::string& text) { return text.empty() ? kNone : text; }

// "TP2,PP2"; a degree of 1 is said of TP alone.
std::string DegreesInWords(const Degrees& degrees) {
  std::string words;
  const auto add = [&words](const char* name, const std::optional<int>& degree, int from) {
    if (!degree || *degree < from) return;
    words += (words.empty() ? "" : ",") + std::string(name) + std::to_string(*degree);
  };
  add("TP", degrees.tensor_parallel, 1);
  add("PP", degrees.pipeline_parallel, 2);
  add("DP", degrees.data_parallel, 2);
  return OrNone(words);
}

// What its other columns say already is left out.
std::string ReasonsInWords(const ScanRow& row) {
  std::string words;
  for (const std::string& reason : row.reasons) {
    const bool said = reason == ReasonName(Reason::kSized) || reason == VerdictName(row.verdict);
    if (!said) words += (words.empty() ? "" : ",") + reason;
  }
  return OrNone(words);
}

std::string PresentInWords(const PresentShm& present) {
  if (present.bytes) return FormatBytes(*present.bytes);
  if (present.source == ShmSource::kNodeAllocatable) return "<unbounded>";
  return present.source == ShmSource::kHostIpc ? "<node>" : kUnknown;
}

const Cells& Headings() {
  static const Cells headings = {"NAMESPACE", "POD",  "NODE", "GPUS",    "PARALLEL", "ENGINE",
                                 "HAS",       "NEED", "GETS", "COVERED", "VERDICT",  "REASONS"};
  return headings;
}

Cells CellsOf(const ScanRow& row) {
  return {row.namespace_name,
          row.pod,
          OrNone(row.node),
          std::to_string(row.gpus),
          DegreesInWords(row.degrees),
          OrNone(row.engine),
          PresentInWords(row.present),
          FormatMebibytes(row.need),
          row.would_get ? FormatBytes(*row.would_get) : kNone,
          !row.covered   ? kUnknown
          : *row.covered ? "yes"
                         : "no",
          std::string(VerdictName(row.verdict)),
          ReasonsInWords(row)};
}

void WriteLine(const Cells& cells, const std::vector<std::size_t>& widths, std::ostream& out) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out << cells[i];
    const bool last = i + 1 == cells.size();
    if (!last) out << std::string(widths[i] + 3 - cells[i].size(), ' ');
  }
  out << "\n";
}

std::string Pods(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " pod" : " pods");
}

// For five namespaces at most: the JSON has all pods.
std::string LabelCommand(const std::vector<std::string>& namespaces) {
  constexpr std::size_t kMost = 5;
  std::string command = "kubectl label namespace";
  for (std::size_t i = 0; i < namespaces.size() && i < kMost; ++i) {
    command += " " + Printable(namespaces[i]);
  }
  command += std::string(" ") + names::kNamespaceLabel + "=" + names::kNamespaceEnabled;
  if (namespaces.size() <= kMost) return command;
  return command + " (and " + std::to_string(namespaces.size() - kMost) + " namespaces more)";
}

}  // namespace

void ScanReport::Add(ScanRow row) {
  ++scanned_;
  if (row.gpus > 0) ++with_gpus_;
  if (all_ || !row.idle()) rows_.push_back(std::move(row));
}

void ScanReport::Sort() {
  std::sort(rows_.begin(), rows_.end(), [](const ScanRow& a, const ScanRow& b) {
    return std::make_tuple(Rank(a), std::cref(a.namespace_name), std::cref(a.pod)) <
           std::make_tuple(Rank(b), std::cref(b.namespace_name), std::cref(b.pod));
  });
}

ScanSummary ScanReport::Summary() const {
  ScanSummary summary;
  summary.scanned = scanned_;
  summary.with_gpus = with_gpus_;
  std::vector<std::string>& uncovered = summary.uncovered_namespaces;
  for (const ScanRow& row : rows_) {
    if (row.verdict != Verdict::kTooSmall) continue;
    ++summary.too_small;
    if (row.below_need()) ++summary.below_need;
    if (row.covered != std::optional<bool>(false)) continue;
    ++summary.not_covered;
    if (row.namespace_name != kSystemNamespace) uncovered.push_back(row.namespace_name);
  }
  std::sort(uncovered.begin(), uncovered.end());
  uncovered.erase(std::unique(uncovered.begin(), uncovered.end()), uncovered.end());
  return summary;
}

Json ToJson(const ScanReport& report) {
  Json json;
  json["pods"] = Json::array();
  for (const ScanRow& row : report.rows()) json["pods"].push_back(RowJson(row));
  const ScanSummary summary = report.Summary();
  json["summary"] = {{"scanned", summary.scanned},
                     {"withGpus", summary.with_gpus},
                     {"tooSmall", summary.too_small},
                     {"belowNeed", summary.below_need},
                     {"notCovered", summary.not_covered}};
  return json;
}

void WriteTable(const ScanReport& report, std::ostream& out) {
  std::vector<Cells> lines = {Headings()};
  for (const ScanRow& row : report.rows()) {
    lines.push_back(CellsOf(row));
    for (std::string& cell : lines.back()) cell = Printable(std::move(cell));
  }
  std::vector<std::size_t> widths(Headings().size(), 0);
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  for (const Cells& cells : lines) WriteLine(cells, widths, out);
}

void WriteSummary(const ScanReport& report, std::ostream& out) {
  const ScanSummary summary = report.Summary();
  out << Pods(summary.scanned) << " scanned, " << summary.with_gpus << " with GPUs, "
      << summary.too_small << " with less /dev/shm than they would get";
  if (summary.below_need > 0) {
    out << " (" << summary.below_need << " with less than NCCL and the engine may take)";
  }
  out << "\n";
  if (summary.too_small > summary.not_covered) {
    out << "A pod gets its /dev/shm when it is made: restart what owns those that are covered.\n";
  }
  if (summary.not_covered > 0) {
    out << summary.not_covered << " of them would not be seen by the webhook";
    if (!summary.uncovered_namespaces.empty()) {
      out << ": " << LabelCommand(summary.uncovered_namespaces);
    }
    out << "\n";
  }
}

}  // namespace shm::cli
