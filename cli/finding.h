// What `shmctl check` has to say: findings, and the rules that they are of.
//
// Plain values and pure functions; safe from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shm::cli {

// Worst first. The names are those of SARIF's levels.
enum class Severity { kError, kWarning, kNote };
std::string_view SeverityName(Severity severity);  // "error"
// Nothing for any other text.
std::optional<Severity> ParseSeverity(std::string_view name);

// Rules of check's own. Every other rule has the name of a Reason (core/reason.h), as the webhook
// and the annotation on a pod have it.
namespace rules {
inline constexpr const char* kTooSmall = "TooSmall";
inline constexpr const char* kNotCovered = "NotCovered";
inline constexpr const char* kRefused = "Refused";
inline constexpr const char* kUnknownService = "UnknownService";
inline constexpr const char* kInvalidService = "InvalidService";
inline constexpr const char* kInvalidPod = "InvalidPod";
inline constexpr const char* kNotJudged = "NotJudged";
}  // namespace rules

struct Rule {
  std::string_view id;
  Severity severity;  // unless a finding knows better
  // The webhook's size or deed is what the rule is about: of no concern where it does nothing.
  bool of_webhook;
  std::string_view summary;
  std::string_view help;
};

// Every rule, in the order of the documentation.
const std::vector<Rule>& Rules();
// The place in Rules(); every id that a Finding has is there.
std::size_t RuleIndex(std::string_view id);

struct Finding {
  std::string rule;
  Severity severity = Severity::kError;
  std::string file;          // as the user named it; "stdin"
  std::size_t line = 1;      // of the file
  std::size_t document = 1;  // of the file, from 1
  std::string kind;
  std::string name;
  std::string name_space;
  std::string field;    // the path in the document; empty: the document
  std::string message;  // a clause without a period
  std::string help;     // what would do away with it
};

// One of the rule's own severity and help; the rest of it is empty.
Finding MakeFinding(std::string_view rule, std::string message);

struct CheckSummary {
  std::size_t documents = 0;  // that were read
  std::size_t pods = 0;       // and pod templates
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t notes = 0;
};

struct CheckReport {
  std::vector<Finding> findings;  // in the order of the files and documents
  std::size_t documents = 0;
  std::size_t pods = 0;

  CheckSummary Summary() const;
};

}  // namespace shm::cli
