// Standard base64 with padding (RFC 4648 section 4), as Secrets and admission patches carry it.
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace shm {

std::string EncodeBase64(std::string_view bytes);
// The same, behind what `text` holds.
void AppendBase64(std::string_view bytes, std::string* text);

// An Error where the text is no base64 with padding.
Result<std::string> DecodeBase64(std::string_view text);

}  // namespace shm
