// The ways that the findings of `shmctl check` are written.
//
// Pure but for the stream that is given; safe from any thread.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/finding.h"

namespace shm::cli {

// "FILE:LINE: error: Deployment llm/qwen, spec.template: ... [TooSmall]", as compilers write, and
// under it what helps.
void WriteFindings(const CheckReport& report, std::ostream& out);

// "3 pods in 12 documents checked: 1 error, 0 warnings", and how many of less severity were left
// out, if any.
void WriteCheckSummary(const CheckReport& report, std::size_t dropped, std::ostream& out);

// {"findings": [{"rule", "severity", "file", "line", "document", "kind", "name", "namespace",
//                "field", "message", "help"}],
//  "summary": {"documents", "pods", "errors", "warnings", "notes"}}
// Text is null where there is none.
nlohmann::ordered_json ToJson(const CheckReport& report);

// SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change.
nlohmann::ordered_json ToSarif(const CheckReport& report);

// The URI of a file as SARIF wants it: relative as it was given, or "file:///...".
std::string FileUri(const std::string& path);

}  // namespace shm::cli
