// Certificates of the webhook: made, read and checked with OpenSSL, ECDSA P-256 and SHA-256.
//
// Stateless and thread-safe. Times are unix seconds and always passed in; text is PEM.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace shm::pki {

struct KeyPair {
  std::string certificate_pem;  // the certificate alone
  std::string key_pem;          // PKCS #8, not encrypted
};

// What a certificate says of itself.
struct CertificateInfo {
  std::string subject;  // common name
  std::string issuer;   // common name
  std::vector<std::string> dns_names;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  bool is_authority = false;
  std::string sha256;  // of the DER, lower-case hex, 64 characters
  friend bool operator==(const CertificateInfo&, const CertificateInfo&) = default;
};

// A self-signed authority that can sign leaves and nothing below them. It is valid from
// kClockSkewMargin (core/certificate_plan.h) before `now`, until `lifetime` seconds after it.
Result<KeyPair> CreateAuthority(const std::string& common_name, std::int64_t now,
                                std::int64_t lifetime);

// A server's certificate for these names (at least one), signed by the authority; its validity as
// above, but never beyond the authority's.
Result<KeyPair> IssueServing(const KeyPair& authority, const std::vector<std::string>& dns_names,
                             std::int64_t now, std::int64_t lifetime);

// The first certificate of the text.
Result<CertificateInfo> Inspect(std::string_view pem);

// The key belongs to the (first) certificate.
Result<void> CheckKey(std::string_view certificate_pem, std::string_view key_pem);

// What a client that trusts only `ca_bundle` would find: key and certificate belong together, the
// chain leads to the bundle, the name is covered, and all of it is valid at `now`.
Result<void> VerifyPair(std::string_view certificate_pem, std::string_view key_pem,
                        std::string_view ca_bundle, const std::string& dns_name, std::int64_t now);

// Every certificate of a bundle as PEM of its own, in order; other text between them is dropped.
// An Error where a block is not a certificate. An empty text is an empty bundle.
Result<std::vector<std::string>> SplitBundle(std::string_view pem);

// One text of all of them, each certificate once.
Result<std::string> JoinBundle(const std::vector<std::string>& pems);

}  // namespace shm::pki
