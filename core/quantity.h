// Quantities as Kubernetes writes them: "2Gi", "500M", "1.5Ti", "1e9", "1500m".
//
// Grammar: k8s.io/apimachinery pkg/api/resource/quantity.go. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace shm {

inline constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
inline constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;

// The value in whole units (bytes, GPUs), 0 or more. A fraction is rounded up, as Quantity.Value()
// does. Every suffix is known: n u m k M G T P E, Ki Mi Gi Ti Pi Ei, and exponents. Negative
// numbers, and those above INT64_MAX (which Kubernetes would silently cut), are an Error without a
// field.
Result<std::int64_t> ParseQuantity(std::string_view text);

// One text for all quantities of the same value: "1000m", "1" and "1e0" give the same. What is no
// quantity, or has too many digits to be reckoned with, is given back as it is.
std::string CanonicalQuantity(std::string_view text);

// The shortest exact way to write bytes (0 or more) with a binary suffix: 2147483648 is "2Gi",
// 1000 is "1000". ParseQuantity gives the same number back.
std::string FormatBytes(std::int64_t bytes);

// For arithmetic in words: bytes rounded up to a whole MiB, "516Mi".
std::string FormatMebibytes(std::int64_t bytes);

// All saturate at INT64_MAX; arguments are 0 or more.
std::int64_t AddSaturating(std::int64_t a, std::int64_t b);
std::int64_t MultiplySaturating(std::int64_t a, std::int64_t b);
std::int64_t RoundUpToMebibyte(std::int64_t bytes);

}  // namespace shm
