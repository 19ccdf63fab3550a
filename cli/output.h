// How the commands write an answer for programs.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace shm::cli {

// One object as "json" (indented by two) or "yaml". What is no UTF-8 (logs and file names hold any
// bytes) becomes U+FFFD.
void WriteAnswer(const nlohmann::ordered_json& answer, const std::string& format,
                 std::ostream& out);

}  // namespace shm::cli
