// Which certificate a server presents: how a rotation is seen to have reached every replica.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace shm::runtime {

// Connects to an IP literal (brackets allowed), completes as much of a TLS handshake as it takes to
// see the certificate, and closes. The value is the SHA-256 of the leaf's DER, lower-case hex.
// Nothing is verified: what is served is the question, not whether it is trusted. Blocks for at
// most `timeout`. Thread-safe. SIGPIPE must be ignored, as Signals (runtime/signals.h) does.
Result<std::string> ServedCertificate(const std::string& address, std::uint16_t port,
                                      const std::string& server_name,
                                      std::chrono::milliseconds timeout);

}  // namespace shm::runtime
