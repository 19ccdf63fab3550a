// The certificate that a server presents, swappable while it serves.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/mutex.h"
#include "core/result.h"

namespace shm::runtime {

// What is known of the pair in use.
struct TlsPairInfo {
  std::int64_t not_before = 0;  // unix seconds
  std::int64_t not_after = 0;   // unix seconds
  std::string sha256;           // of the leaf's DER, lower-case hex, 64 characters
  friend bool operator==(const TlsPairInfo&, const TlsPairInfo&) = default;
};

// One shared SSL_CTX for all connections: TLS 1.2 and 1.3, AEAD suites with forward secrecy only,
// no renegotiation, no compression. A handshake uses the context current when it starts;
// connections that stand keep theirs. Thread-safe.
class ServerTls {
 public:
  ServerTls() = default;
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;

  // Makes the pair the current one: PEM, the leaf first, then its intermediates. A pair that cannot
  // be read or does not belong together is refused, and the one in use stays (trap C4). Setting the
  // pair in use again changes nothing.
  Result<void> SetPair(std::string_view certificate_pem, std::string_view key_pem)
      SHM_EXCLUDES(mutex_);

  // Client certificates must chain to one of these (PEM) from the next SetPair on; empty: none is
  // asked for, which is the default.
  void RequireClientAuthority(std::string authorities_pem) SHM_EXCLUDES(mutex_);

  // Null until a pair was set, and never again: who connects before waits.
  std::shared_ptr<SSL_CTX> context() const SHM_EXCLUDES(mutex_);
  std::optional<TlsPairInfo> info() const SHM_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::shared_ptr<SSL_CTX> context_ SHM_GUARDED_BY(mutex_);
  std::optional<TlsPairInfo> info_ SHM_GUARDED_BY(mutex_);
  std::string client_authorities_ SHM_GUARDED_BY(mutex_);
  // What context_ was made from, to tell a change from a repetition.
  std::string pair_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::runtime
