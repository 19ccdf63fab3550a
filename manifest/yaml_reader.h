// Reads one YAML document as the Kubernetes tools read it.
//
// As sigs.k8s.io/yaml (manifest/scalar.h), but stricter where that would hide a mistake: a key that
// stands twice is refused. Aliases are resolved, and what they add is bounded.
//
// Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "manifest/json.h"
#include "manifest/tree_builder.h"

namespace shm::manifest {

// Bytes that aliases and anchors together may add to a document.
inline constexpr std::size_t kMaxAliasBytes = std::size_t{16} << 20;

// `text`: UTF-8 without control characters (CheckText), one document, without its separators. One
// of nothing but comments is null.
ReadOutcome ReadYaml(std::string_view text);

// The lines at which the values of these fields begin, found in one pass; 0 where there is none.
FieldLines FindYamlFields(std::string_view text, const FieldLines& fields);

}  // namespace shm::manifest
