// Text that JSON writes as it stands, found sixteen or eight bytes at a time: byte by byte, reading
// and writing strings took an eighth of a review's instructions.
//
// Pure; safe from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace shm {

// ASCII but for control characters, the quote and the backslash.
inline bool IsPlain(char c) { return c >= 0x20 && c != '"' && c != '\\' && !(c & 0x80); }

// How many bytes of the text are plain before the first that is not.
inline std::size_t PlainSize(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  std::size_t at = 0;
#ifdef __SSE2__
  for (; text.size() - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // As signed numbers those of 0x80 and more are below 0x20, too.
    const __m128i others = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(others));
    if (mask != 0) return at + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  if constexpr (std::endian::native == std::endian::little) {
    for (; text.size() - at >= 8; at += 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + at, 8);
      // The top bit of each byte: it is 0x80 or more, below 0x20, a quote, a backslash. Only such a
      // byte borrows from the next one, so the first bit that is set is right.
      const std::uint64_t others =
          (bytes | (bytes - kEach * 0x20) | ((bytes ^ kEach * '"') - kEach) |
           ((bytes ^ kEach * '\\') - kEach)) &
          kEach * 0x80;
      if (others != 0) return at + static_cast<std::size_t>(std::countr_zero(others)) / 8;
    }
  }
  while (at < text.size() && IsPlain(text[at])) ++at;
  return at;
}

}  // namespace shm
