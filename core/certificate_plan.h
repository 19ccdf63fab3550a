// The rotation of the webhook's certificates as a state machine that is advanced by what is seen.
//
// Pure: the caller observes (Secrets, caBundle of each webhook entry, what each replica serves),
// asks for the next step, executes it and asks again. Certificates are named by the SHA-256 of
// their DER, in lower-case hex; times are unix seconds.
//
// The CA Secret holds one authority that signs, and the certificates, without keys, of those before
// it, which are still trusted. A rotation therefore is (trap C1): a new authority, the one before
// joins the old ones -> caBundle of every entry holds both -> API servers have had time to see it
// -> leaf by the new authority -> every replica seen to serve it, overlap over -> old ones dropped.
// Every step can be repeated, and a process that died anywhere goes on from what it finds. Where
// the CA Secret was deleted or replaced, what caBundle and the serving Secret hold become the old
// ones, so that deleting it is a rotation like any other, in the middle of one too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace shm {

// Certificates begin this long before they are issued, for clocks that are behind.
inline constexpr std::int64_t kClockSkewMargin = 3600;

enum class CertificateMode {
  kSelf,      // the operator makes the authority and the leaf, and owns caBundle
  kProvided,  // somebody else fills the serving Secret; the operator copies its ca.crt to caBundle
  kCertManager,  // cert-manager owns the Secret and caBundle: the operator touches neither
};

// All but the mode is in seconds, and matters in kSelf alone.
struct CertificatePolicy {
  CertificateMode mode = CertificateMode::kSelf;
  std::int64_t propagation = 30;  // until all API servers have seen a new caBundle
  std::int64_t overlap = 600;     // that an old authority stays trusted after the switch
  std::int64_t authority_lifetime = std::int64_t{365} * 24 * 3600;
  std::int64_t leaf_lifetime = std::int64_t{90} * 24 * 3600;
};

// That a rotation is over before what it replaces ends: a leaf lives no longer than its authority,
// and propagation and overlap fit into the last third of its life, in which it is replaced. The
// Error's field is the flag of the setting.
Result<void> CheckCertificatePolicy(const CertificatePolicy& policy);

struct AuthorityFacts {
  std::string sha256;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  friend bool operator==(const AuthorityFacts&, const AuthorityFacts&) = default;
};

struct LeafFacts {
  std::string sha256;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  std::string issuer_sha256;  // of the authority in the Secret's ca.crt that signed it; else ""
  bool names_match = true;    // it names what the API server calls
  std::vector<std::string> authorities;  // all that the Secret's ca.crt holds, in its order
  friend bool operator==(const LeafFacts&, const LeafFacts&) = default;
};

struct ReplicaFacts {
  std::string name;
  std::string served_sha256;  // empty: could not be asked
  friend bool operator==(const ReplicaFacts&, const ReplicaFacts&) = default;
};

struct CertificateFacts {
  std::int64_t now = 0;
  // Unset where the Secret is missing, or its pair cannot be read or does not belong together.
  std::optional<AuthorityFacts> authority;
  std::vector<std::string> old_authorities;  // still trusted; certificates only
  std::optional<LeafFacts> leaf;             // unset as for the authority
  // Per webhook entry, what its caBundle holds; empty where it is unset or cannot be read.
  std::vector<std::vector<std::string>> bundles;
  // Seconds for which this process has seen every bundle as it should be, by a monotonic clock.
  std::int64_t published_for = 0;
  std::vector<ReplicaFacts> replicas;  // the webhook pods that are meant to serve
};

// Where the rotation stands; names for logs and metrics by RotationStateName.
enum class RotationState {
  kNotOurs,            // another owner
  kNoAuthority,        // none, damaged, expired, or due for its successor
  kUnpublished,        // some caBundle is not what it should be
  kPropagating,        // API servers may not have seen the new authority yet
  kLeafOutdated,       // missing, damaged, due, or signed by an old authority
  kReplicasSwitching,  // some replica does not serve the leaf yet
  kOverlapping,        // all serve it; the old authority is trusted a little longer
  kRetirable,          // the old authority may go
  kSteady,
};
std::string_view RotationStateName(RotationState state);

enum class CertificateAction {
  kNone,
  kCreateAuthority,  // and keep `trusted` as the old authorities
  kKeepOld,          // the CA Secret forgot some: write `trusted` but the first as old ones
  kPublishBundle,    // write exactly `trusted` to every webhook entry
  kIssueLeaf,        // by the authority; ca.crt is the authority's certificate
  kRetireOld,        // drop the old authorities from the CA Secret
};

struct CertificatePlan {
  RotationState state = RotationState::kSteady;
  CertificateAction action = CertificateAction::kNone;
  // What caBundle should hold, the signing authority first. For kCreateAuthority: which authorities
  // stay trusted beside the new one.
  std::vector<std::string> trusted;
  std::string reason;  // in words, for the log
  // Seconds until it is worth asking again though nothing was seen to change; at least 1. Ask at
  // short intervals anyway: a machine may have slept (trap C5).
  std::int64_t ask_again_in = 60;
};

CertificatePlan DecideCertificates(const CertificatePolicy& policy, const CertificateFacts& facts);

// When a certificate is to be replaced: two thirds of the way from issue to end.
std::int64_t RenewAt(std::int64_t not_before, std::int64_t not_after);

}  // namespace shm
