#include "core/certificate_plan.h"

#include <algorithm>
#include <string>
#include <utility>

namespace shm {
namespace {

using State = RotationState;
using Action = CertificateAction;

constexpr std::int64_t kLongestPause = 3600;

bool Valid(std::int64_t not_before, std::int64_t not_after, std::int64_t now) {
  return not_before <= now && now < not_after;
}

bool Holds(const std::vector<std::string>& list, const std::string& sha256) {
  return std::find(list.begin(), list.end(), sha256) != list.end();
}

void AddOnce(std::vector<std::string>& list, const std::string& sha256) {
  if (!sha256.empty() && !Holds(list, sha256)) list.push_back(sha256);
}

bool Names(const CertificateFacts& facts, const std::string& sha256) {
  return sha256 == facts.authority->sha256 || Holds(facts.old_authorities, sha256);
}

// The CA Secret was deleted, damaged or replaced: it does not name what the leaf is verified by.
// Where the leaf does not say that, replicas serve the one before by what caBundle holds.
bool Forgot(const CertificateFacts& facts) {
  if (!facts.authority) return true;
  if (facts.leaf && !facts.leaf->issuer_sha256.empty()) {
    return !Names(facts, facts.leaf->issuer_sha256);
  }
  for (const auto& bundle : facts.bundles) {
    for (const std::string& sha256 : bundle) {
      if (!Names(facts, sha256)) return true;
    }
  }
  return false;
}

// The signing authority and those before it. Where the CA Secret forgot some, those by which what
// replicas serve is verified now: the leaf's, and, as a replica may not have taken that leaf up
// yet, whatever caBundle holds. The overlap ends their time like that of any old one.
std::vector<std::string> Trusted(const CertificateFacts& facts) {
  std::vector<std::string> trusted;
  if (facts.authority) AddOnce(trusted, facts.authority->sha256);
  for (const std::string& old : facts.old_authorities) AddOnce(trusted, old);
  if (!Forgot(facts)) return trusted;
  if (facts.leaf) AddOnce(trusted, facts.leaf->issuer_sha256);
  for (const auto& bundle : facts.bundles) {
    for (const std::string& sha256 : bundle) AddOnce(trusted, sha256);
  }
  return trusted;
}

bool Published(const CertificateFacts& facts, std::vector<std::string> trusted) {
  std::sort(trusted.begin(), trusted.end());
  return std::all_of(facts.bundles.begin(), facts.bundles.end(),
                     [&](std::vector<std::string> held) {
                       std::sort(held.begin(), held.end());
                       return held == trusted;
                     });
}

// Why there has to be a new authority; empty where there has not. A successor waits until the
// rotation before it is over, unless the authority is of no use any more.
std::string AuthorityFault(const CertificateFacts& facts) {
  if (!facts.authority) return "the CA Secret is missing or damaged";
  const AuthorityFacts& authority = *facts.authority;
  if (!Valid(authority.not_before, authority.not_after, facts.now)) {
    return "the authority is outside its validity";
  }
  const bool rotating = !facts.old_authorities.empty();
  if (!rotating && facts.now >= RenewAt(authority.not_before, authority.not_after)) {
    return "the authority has lived two thirds of its life";
  }
  return "";
}

std::string LeafFault(const CertificateFacts& facts) {
  if (!facts.leaf) return "the serving Secret is missing or damaged";
  const LeafFacts& leaf = *facts.leaf;
  if (leaf.issuer_sha256 != facts.authority->sha256) {
    return "the serving certificate is not by the current authority";
  }
  if (!leaf.names_match) return "the serving certificate does not name the Service";
  if (!Valid(leaf.not_before, leaf.not_after, facts.now)) {
    return "the serving certificate is outside its validity";
  }
  if (facts.now >= RenewAt(leaf.not_before, leaf.not_after)) {
    return "the serving certificate has lived two thirds of its life";
  }
  return "";
}

std::int64_t Pause(std::int64_t seconds) {
  return std::clamp<std::int64_t>(seconds, 1, kLongestPause);
}

CertificatePlan DecideLeaf(const CertificatePolicy& policy, const CertificateFacts& facts,
                           CertificatePlan plan, std::string fault) {
  // Only a second authority has to be waited for: the API servers may know just the first.
  const bool second = plan.trusted.size() > 1;
  if (second && facts.published_for < policy.propagation) {
    plan.state = State::kPropagating;
    plan.reason = "API servers are given time to see the new caBundle";
    plan.ask_again_in = Pause(policy.propagation - facts.published_for);
    return plan;
  }
  plan.state = State::kLeafOutdated;
  plan.action = Action::kIssueLeaf;
  plan.reason = std::move(fault);
  return plan;
}

CertificatePlan DecideOld(const CertificatePolicy& policy, const CertificateFacts& facts,
                          CertificatePlan plan) {
  for (const ReplicaFacts& replica : facts.replicas) {
    if (replica.served_sha256 == facts.leaf->sha256) continue;
    plan.state = State::kReplicasSwitching;
    plan.reason = "replica " + replica.name + " does not serve the new certificate yet";
    plan.ask_again_in = 5;
    return plan;
  }
  const std::int64_t issued = facts.leaf->not_before + kClockSkewMargin;
  if (facts.now < issued + policy.overlap) {
    plan.state = State::kOverlapping;
    plan.reason = "the old authority stays trusted for its overlap";
    plan.ask_again_in = Pause(issued + policy.overlap - facts.now);
    return plan;
  }
  plan.state = State::kRetirable;
  plan.action = Action::kRetireOld;
  plan.reason = "every replica serves the new certificate";
  return plan;
}

CertificatePlan DecideProvided(const CertificateFacts& facts) {
  CertificatePlan plan;
  if (!facts.leaf || facts.leaf->issuer_sha256.empty()) {
    plan.state = State::kLeafOutdated;
    plan.reason = "the provided Secret holds no pair with the ca.crt that signed it";
    return plan;
  }
  for (const std::string& sha256 : facts.leaf->authorities) AddOnce(plan.trusted, sha256);
  if (Published(facts, plan.trusted)) return plan;
  plan.state = State::kUnpublished;
  plan.action = Action::kPublishBundle;
  plan.reason = "a caBundle differs from the provided ca.crt";
  return plan;
}

CertificatePlan DecideSelf(const CertificatePolicy& policy, const CertificateFacts& facts) {
  CertificatePlan plan;
  plan.trusted = Trusted(facts);
  if (std::string fault = AuthorityFault(facts); !fault.empty()) {
    plan.state = State::kNoAuthority;
    plan.action = Action::kCreateAuthority;
    plan.reason = std::move(fault);
    return plan;
  }
  if (Forgot(facts)) {
    plan.state = State::kUnpublished;
    plan.action = Action::kKeepOld;
    plan.reason = "the serving certificate is by an authority that the CA Secret does not name";
    return plan;
  }
  if (!Published(facts, plan.trusted)) {
    plan.state = State::kUnpublished;
    plan.action = Action::kPublishBundle;
    plan.reason = "a caBundle differs from what is trusted";
    return plan;
  }
  if (std::string fault = LeafFault(facts); !fault.empty()) {
    return DecideLeaf(policy, facts, std::move(plan), std::move(fault));
  }
  if (!facts.old_authorities.empty()) return DecideOld(policy, facts, std::move(plan));
  plan.ask_again_in =
      Pause(std::min(RenewAt(facts.leaf->not_before, facts.leaf->not_after),
                     RenewAt(facts.authority->not_before, facts.authority->not_after)) -
            facts.now);
  return plan;
}

std::string Seconds(std::int64_t seconds) { return std::to_string(seconds) + " s"; }

}  // namespace

Result<void> CheckCertificatePolicy(const CertificatePolicy& policy) {
  if (policy.mode != CertificateMode::kSelf) return {};
  if (policy.leaf_lifetime > policy.authority_lifetime) {
    return Error{"leaf-lifetime", Seconds(policy.leaf_lifetime) + " is longer than ca-lifetime, " +
                                      Seconds(policy.authority_lifetime)};
  }
  const std::int64_t rotation = policy.propagation + policy.overlap;
  if (rotation > policy.leaf_lifetime / 3) {
    return Error{"leaf-lifetime", "ca-propagation and ca-overlap, together " + Seconds(rotation) +
                                      ", are longer than a third of it, " +
                                      Seconds(policy.leaf_lifetime / 3)};
  }
  return {};
}

std::string_view RotationStateName(RotationState state) {
  switch (state) {
    case State::kNotOurs:
      return "not_ours";
    case State::kNoAuthority:
      return "no_authority";
    case State::kUnpublished:
      return "unpublished";
    case State::kPropagating:
      return "propagating";
    case State::kLeafOutdated:
      return "leaf_outdated";
    case State::kReplicasSwitching:
      return "replicas_switching";
    case State::kOverlapping:
      return "overlapping";
    case State::kRetirable:
      return "retirable";
    case State::kSteady:
      return "steady";
  }
  return "unknown";
}

CertificatePlan DecideCertificates(const CertificatePolicy& policy, const CertificateFacts& facts) {
  switch (policy.mode) {
    case CertificateMode::kProvided:
      return DecideProvided(facts);
    case CertificateMode::kSelf:
      return DecideSelf(policy, facts);
    case CertificateMode::kCertManager:
      break;
  }
  CertificatePlan plan;
  plan.state = State::kNotOurs;
  plan.ask_again_in = kLongestPause;
  return plan;
}

std::int64_t RenewAt(std::int64_t not_before, std::int64_t not_after) {
  const std::int64_t issued = not_before + kClockSkewMargin;
  return issued + (not_after - issued) / 3 * 2;
}

}  // namespace shm
