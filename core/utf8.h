// UTF-8 as RFC 3629 has it.
//
// Pure; safe from any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace shm {

// Bytes of the character that starts at `at`, which is inside the text: 1 to 4, or 0 where it is no
// UTF-8 (overlong forms, surrogates and values above U+10FFFF included).
std::size_t CharacterSize(std::string_view text, std::size_t at);

}  // namespace shm
