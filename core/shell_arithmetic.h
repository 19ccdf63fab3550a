// $((...)) of a shell's script, as far as whole numbers and variables go.
//
// Pure; linear in its input. Safe to call from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/pod_env.h"

namespace shm {

// The value of what stands between the parentheses: decimal numbers, names with or without a
// dollar, + - * / % and parentheses, as POSIX orders them. Nothing for all else, for a name whose
// value is not a decimal number or cannot be told, and out of 64 bits.
std::optional<std::int64_t> EvaluateArithmetic(std::string_view text, const PodEnv& env);

}  // namespace shm
