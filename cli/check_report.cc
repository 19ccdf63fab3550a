#include "cli/check_report.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "cli/printable.h"

namespace shm::cli {
namespace {

using Json = nlohmann::ordered_json;

// "Deployment llm/qwen, spec.template".
std::string ObjectInWords(const Finding& finding) {
  return finding.kind + " " + (finding.name_space.empty() ? "" : finding.name_space + "/") +
         finding.name + (finding.field.empty() ? "" : ", " + finding.field);
}

std::string Count(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json FindingJson(const Finding& finding) {
  return {{"rule", finding.rule},
          {"severity", SeverityName(finding.severity)},
          {"file", finding.file},
          {"line", finding.line},
          {"document", finding.document},
          {"kind", finding.kind},
          {"name", TextOrNull(finding.name)},
          {"namespace", TextOrNull(finding.name_space)},
          {"field", TextOrNull(finding.field)},
          {"message", finding.message},
          {"help", TextOrNull(finding.help)}};
}

Json RuleJson(const Rule& rule) {
  Json json = {{"id", rule.id}, {"shortDescription", {{"text", rule.summary}}}};
  if (!rule.help.empty()) json["help"] = {{"text", rule.help}};
  json["defaultConfiguration"] = {{"level", SeverityName(rule.severity)}};
  return json;
}

Json LocationJson(const Finding& finding) {
  Json physical = {{"artifactLocation", {{"uri", FileUri(finding.file)}}},
                   {"region", {{"startLine", finding.line}}}};
  return {{"physicalLocation", std::move(physical)},
          {"logicalLocations", Json::array({{{"fullyQualifiedName", ObjectInWords(finding)}}})}};
}

Json ResultJson(const Finding& finding) {
  return {{"ruleId", finding.rule},
          {"ruleIndex", RuleIndex(finding.rule)},
          {"level", SeverityName(finding.severity)},
          {"message", {{"text", ObjectInWords(finding) + ": " + finding.message}}},
          {"locations", Json::array({LocationJson(finding)})}};
}

}  // namespace

std::string FileUri(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : std::filesystem::path(path).lexically_normal().string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += {'%', kHex[byte / 16], kHex[byte % 16]};
    }
  }
  return uri;
}

void WriteFindings(const CheckReport& report, std::ostream& out) {
  for (const Finding& finding : report.findings) {
    out << Printable(finding.file) << ":" << finding.line << ": " << SeverityName(finding.severity)
        << ": " << Printable(ObjectInWords(finding)) << ": " << Printable(finding.message) << " ["
        << finding.rule << "]\n";
    if (!finding.help.empty()) out << "    " << finding.help << "\n";
  }
}

void WriteCheckSummary(const CheckReport& report, std::size_t dropped, std::ostream& out) {
  const CheckSummary summary = report.Summary();
  out << Count(summary.pods, "pod") << " in " << Count(summary.documents, "document")
      << " checked: " << Count(summary.errors, "error") << ", "
      << Count(summary.warnings, "warning");
  if (summary.notes > 0) out << ", " << Count(summary.notes, "note");
  if (dropped > 0) out << "; " << dropped << " less severe not shown (--severity note)";
  out << "\n";
}

Json ToJson(const CheckReport& report) {
  Json json = {{"findings", Json::array()}};
  for (const Finding& finding : report.findings) json["findings"].push_back(FindingJson(finding));
  const CheckSummary summary = report.Summary();
  json["summary"] = {{"documents", summary.documents},
                     {"pods", summary.pods},
                     {"errors", summary.errors},
                     {"warnings", summary.warnings},
                     {"notes", summary.notes}};
  return json;
}

Json ToSarif(const CheckReport& report) {
  Json driver = {{"name", "shmctl"}, {"version", SHM_VERSION}, {"rules", Json::array()}};
  for (const Rule& rule : Rules()) driver["rules"].push_back(RuleJson(rule));
  Json run = {{"tool", {{"driver", std::move(driver)}}}, {"results", Json::array()}};
  for (const Finding& finding : report.findings) run["results"].push_back(ResultJson(finding));
  return {{"$schema",
           "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
           "sarif-schema-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", Json::array({std::move(run)})}};
}

}  // namespace shm::cli
