// JSON Patch (RFC 6902) as far as it is needed here: add and remove, written as text.
//
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shm {

// The JSON string of a UTF-8 text, quotes included.
std::string JsonString(std::string_view text);
// The same, behind what `json` holds.
void AppendJsonString(std::string_view text, std::string* json);

// `add` sets a member of an object, also one that is there or null, and inserts into a list.
struct PatchOperation {
  enum class Kind { kAdd, kRemove };
  Kind kind = Kind::kAdd;
  std::vector<std::string> path;  // unescaped reference tokens; a list's index is a decimal
  std::string value;              // JSON text; empty for kRemove
  friend bool operator==(const PatchOperation&, const PatchOperation&) = default;
};

using Patch = std::vector<PatchOperation>;

// The path as a JSON Pointer: "/metadata/labels/shm-operator.dev~1injected".
std::string RenderPointer(const std::vector<std::string>& path);

// The patch as compact JSON; "[]" for an empty one. Same input, same bytes.
std::string RenderJsonPatch(const Patch& patch);

}  // namespace shm
