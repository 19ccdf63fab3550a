// Writes a value as YAML that every Kubernetes tool reads back as the same value.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "manifest/json.h"

namespace shm::manifest {

// Block style, members in their order, lists at the indentation of their key as kubectl writes
// them; a line end at the end. A string is plain where nothing could take it for anything else.
// `value` is UTF-8 and at most kMaxDepth deep. Safe from any thread.
void WriteYaml(const Json& value, std::ostream& out);

// Whether the text may stand as a plain scalar: it is read back as this string, by readers of YAML
// 1.1 and 1.2.
bool IsPlain(std::string_view text);

}  // namespace shm::manifest
