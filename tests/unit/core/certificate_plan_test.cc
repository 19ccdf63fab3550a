#include "core/certificate_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

namespace shm {
namespace {

using State = RotationState;
using Action = CertificateAction;

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kDay = 86'400;

// A CA of two years and a leaf of 90 days, both a week old, served and trusted everywhere.
CertificateFacts Steady() {
  CertificateFacts facts;
  facts.now = kNow;
  const std::int64_t begin = kNow - 7 * kDay - kClockSkewMargin;
  facts.authority = AuthorityFacts{"ca1", begin, kNow + 723 * kDay};
  facts.leaf = LeafFacts{"leaf1", begin, kNow + 83 * kDay, "ca1", true, {"ca1"}};
  facts.bundles = {{"ca1"}, {"ca1"}};
  facts.published_for = 1000;
  facts.replicas = {{"a", "leaf1"}, {"b", "leaf1"}};
  return facts;
}

struct Row {
  const char* what;
  std::function<void(CertificateFacts&)> change;
  State state;
  Action action;
  std::vector<std::string> trusted;
};

void CheckRows(const CertificatePolicy& policy, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CertificateFacts facts = Steady();
    row.change(facts);
    const CertificatePlan plan = DecideCertificates(policy, facts);
    CHECK(RotationStateName(plan.state) == RotationStateName(row.state));
    CHECK(plan.action == row.action);
    CHECK(plan.trusted == row.trusted);
    CHECK(plan.ask_again_in >= 1);
  }
}

TEST_CASE("C4: deleted or damaged Secrets and a tampered caBundle are repaired") {
  CheckRows({}, {
                    {"nothing to do", [](auto&) {}, State::kSteady, Action::kNone, {"ca1"}},
                    {"the serving Secret is gone",
                     [](auto& f) { f.leaf.reset(); },
                     State::kLeafOutdated,
                     Action::kIssueLeaf,
                     {"ca1"}},
                    {"the leaf is by nobody known",
                     [](auto& f) { f.leaf->issuer_sha256 = ""; },
                     State::kLeafOutdated,
                     Action::kIssueLeaf,
                     {"ca1"}},
                    {"the leaf has another name",
                     [](auto& f) { f.leaf->names_match = false; },
                     State::kLeafOutdated,
                     Action::kIssueLeaf,
                     {"ca1"}},
                    {"the CA Secret is gone: the leaf in use stays trusted",
                     [](auto& f) { f.authority.reset(); },
                     State::kNoAuthority,
                     Action::kCreateAuthority,
                     {"ca1"}},
                    {"both are gone: replicas serve by what caBundle holds",
                     [](auto& f) {
                       f.authority.reset();
                       f.leaf.reset();
                     },
                     State::kNoAuthority,
                     Action::kCreateAuthority,
                     {"ca1"}},
                    {"both are gone, and caBundle is empty: a first installation",
                     [](auto& f) {
                       f.authority.reset();
                       f.leaf.reset();
                       f.bundles.assign(2, {});
                     },
                     State::kNoAuthority,
                     Action::kCreateAuthority,
                     {}},
                    {"the CA Secret is gone while replicas may serve by the one before",
                     [](auto& f) {
                       f.authority.reset();
                       f.leaf->issuer_sha256 = "ca2";
                       f.bundles = {{"ca2", "ca1"}, {"ca2", "ca1"}};
                     },
                     State::kNoAuthority,
                     Action::kCreateAuthority,
                     {"ca2", "ca1"}},
                    {"the CA Secret was replaced by another",
                     [](auto& f) { f.authority->sha256 = "ca2"; },
                     State::kUnpublished,
                     Action::kKeepOld,
                     {"ca2", "ca1"}},
                    {"the CA Secret was replaced by another in the middle of a rotation",
                     [](auto& f) {
                       f.authority->sha256 = "ca3";
                       f.leaf->issuer_sha256 = "ca2";
                       f.bundles = {{"ca2", "ca1"}, {"ca2", "ca1"}};
                     },
                     State::kUnpublished,
                     Action::kKeepOld,
                     {"ca3", "ca2", "ca1"}},
                    {"the CA Secret was replaced by another, and the serving Secret is gone",
                     [](auto& f) {
                       f.authority->sha256 = "ca2";
                       f.leaf.reset();
                     },
                     State::kUnpublished,
                     Action::kKeepOld,
                     {"ca2", "ca1"}},
                    {"the CA Secret was replaced by another, and the leaf does not say its own",
                     [](auto& f) {
                       f.authority->sha256 = "ca2";
                       f.leaf->issuer_sha256 = "";
                     },
                     State::kUnpublished,
                     Action::kKeepOld,
                     {"ca2", "ca1"}},
                    {"one caBundle is empty",
                     [](auto& f) { f.bundles[1].clear(); },
                     State::kUnpublished,
                     Action::kPublishBundle,
                     {"ca1"}},
                    {"one caBundle holds a stranger",
                     [](auto& f) { f.bundles[0].push_back("evil"); },
                     State::kUnpublished,
                     Action::kPublishBundle,
                     {"ca1"}},
                    {"a replica that serves something else is no reason to act",
                     [](auto& f) { f.replicas[0].served_sha256 = "leaf0"; },
                     State::kSteady,
                     Action::kNone,
                     {"ca1"}},
                });
}

TEST_CASE("C5: renewal goes by the wall clock, at two thirds of the life") {
  const auto at = [](std::int64_t seconds) {
    return [seconds](CertificateFacts& f) { f.now += seconds; };
  };
  CheckRows(
      {},
      {
          {"a day before the leaf's time", at(52 * kDay), State::kSteady, Action::kNone, {"ca1"}},
          {"at the leaf's time", at(53 * kDay), State::kLeafOutdated, Action::kIssueLeaf, {"ca1"}},
          {"woken after the leaf's end",
           at(84 * kDay),
           State::kLeafOutdated,
           Action::kIssueLeaf,
           {"ca1"}},
          {"at the CA's time",
           at(480 * kDay),
           State::kNoAuthority,
           Action::kCreateAuthority,
           {"ca1"}},
          {"woken after the CA's end",
           at(800 * kDay),
           State::kNoAuthority,
           Action::kCreateAuthority,
           {"ca1"}},
          {"woken before the CA's beginning",
           at(-30 * kDay),
           State::kNoAuthority,
           Action::kCreateAuthority,
           {"ca1"}},
      });
  // However long there is time, the question is asked again within the hour.
  CHECK(DecideCertificates({}, Steady()).ask_again_in <= 3600);
}

TEST_CASE("C1: each step of a rotation waits for the one before") {
  const auto rotating = [](CertificateFacts& f) {
    f.authority = AuthorityFacts{"ca2", kNow - kClockSkewMargin, kNow + 730 * kDay};
    f.old_authorities = {"ca1"};
  };
  const auto published = [rotating](CertificateFacts& f) {
    rotating(f);
    f.bundles = {{"ca2", "ca1"}, {"ca1", "ca2"}};
    f.published_for = 0;
  };
  const auto switched = [published](CertificateFacts& f) {
    published(f);
    f.leaf = LeafFacts{"leaf2", kNow - kClockSkewMargin, kNow + 90 * kDay, "ca2", true, {"ca2"}};
  };
  const std::vector<std::string> both = {"ca2", "ca1"};
  CheckRows({}, {
                    {"new authority, not published", rotating, State::kUnpublished,
                     Action::kPublishBundle, both},
                    {"published in one entry only",
                     [&](auto& f) {
                       published(f);
                       f.bundles[1] = {"ca1"};
                     },
                     State::kUnpublished, Action::kPublishBundle, both},
                    {"published just now", published, State::kPropagating, Action::kNone, both},
                    {"published for a while",
                     [&](auto& f) {
                       published(f);
                       f.published_for = 30;
                     },
                     State::kLeafOutdated, Action::kIssueLeaf, both},
                    {"no replica serves the new leaf", switched, State::kReplicasSwitching,
                     Action::kNone, both},
                    {"one replica cannot be asked, long after",
                     [&](auto& f) {
                       switched(f);
                       f.now += kDay;
                       f.replicas = {{"a", "leaf2"}, {"b", ""}};
                     },
                     State::kReplicasSwitching, Action::kNone, both},
                    {"all serve it",
                     [&](auto& f) {
                       switched(f);
                       f.now += 599;
                       f.replicas = {{"a", "leaf2"}, {"b", "leaf2"}};
                     },
                     State::kOverlapping, Action::kNone, both},
                    {"all serve it, and the overlap is over",
                     [&](auto& f) {
                       switched(f);
                       f.now += 600;
                       f.replicas = {{"a", "leaf2"}, {"b", "leaf2"}};
                     },
                     State::kRetirable, Action::kRetireOld, both},
                });
}

TEST_CASE("C1: a rotation must be over before what it replaces ends") {
  CHECK(CheckCertificatePolicy({}).ok());
  CHECK(CheckCertificatePolicy({.authority_lifetime = kDay, .leaf_lifetime = kDay}).ok());
  CHECK_FALSE(CheckCertificatePolicy({.authority_lifetime = kDay - 1, .leaf_lifetime = kDay}).ok());
  CHECK(CheckCertificatePolicy({.propagation = 100, .overlap = 200, .leaf_lifetime = 900}).ok());
  CHECK_FALSE(
      CheckCertificatePolicy({.propagation = 101, .overlap = 200, .leaf_lifetime = 900}).ok());
  // Whoever else makes the certificates is not bound by it.
  CHECK(CheckCertificatePolicy({.mode = CertificateMode::kProvided, .leaf_lifetime = 1}).ok());
}

TEST_CASE("A mode that has another owner is left alone") {
  CheckRows({.mode = CertificateMode::kCertManager}, {{"an empty caBundle",
                                                       [](auto& f) { f.bundles[0].clear(); },
                                                       State::kNotOurs,
                                                       Action::kNone,
                                                       {}}});
  CheckRows(
      {.mode = CertificateMode::kProvided},
      {{"as provided", [](auto&) {}, State::kSteady, Action::kNone, {"ca1"}},
       {"no CA Secret of ours",
        [](auto& f) { f.authority.reset(); },
        State::kSteady,
        Action::kNone,
        {"ca1"}},
       {"expired", [](auto& f) { f.now += 800 * kDay; }, State::kSteady, Action::kNone, {"ca1"}},
       {"tampered caBundle",
        [](auto& f) { f.bundles[0] = {"evil"}; },
        State::kUnpublished,
        Action::kPublishBundle,
        {"ca1"}},
       {"a ca.crt of two, before and after the pair changes",
        [](auto& f) {
          f.leaf->authorities = {"ca2", "ca1"};
        },
        State::kUnpublished,
        Action::kPublishBundle,
        {"ca2", "ca1"}},
       {"a ca.crt that did not sign it",
        [](auto& f) { f.leaf->issuer_sha256 = ""; },
        State::kLeafOutdated,
        Action::kNone,
        {}},
       {"nothing provided yet",
        [](auto& f) { f.leaf.reset(); },
        State::kLeafOutdated,
        Action::kNone,
        {}}});
}

// A cluster that does what the plan says: replicas take a leaf up one at a time, API servers read
// caBundle late. At no time may what a replica serves be untrusted by an API server.
struct Cluster {
  CertificateFacts facts;
  std::vector<std::string> seen_by_api_server;
  std::vector<std::string> issuers_served;  // by replica
  int made = 0;

  void Step() {
    const CertificatePlan plan = DecideCertificates({}, facts);
    const std::string number = std::to_string(++made);
    switch (plan.action) {
      case Action::kCreateAuthority:
        facts.authority =
            AuthorityFacts{"ca-" + number, facts.now - kClockSkewMargin, facts.now + 730 * kDay};
        facts.old_authorities = plan.trusted;
        break;
      case Action::kKeepOld:
        facts.old_authorities.assign(plan.trusted.begin() + 1, plan.trusted.end());
        break;
      case Action::kPublishBundle:
        facts.bundles.assign(2, plan.trusted);
        facts.published_for = 0;
        break;
      case Action::kIssueLeaf:
        facts.leaf = LeafFacts{"leaf-" + number,
                               facts.now - kClockSkewMargin,
                               facts.now + 90 * kDay,
                               facts.authority->sha256,
                               true,
                               {facts.authority->sha256}};
        break;
      case Action::kRetireOld:
        facts.old_authorities.clear();
        break;
      case Action::kNone:
        Pass(plan.ask_again_in);
    }
    for (const std::string& issuer : issuers_served) {
      CHECK(std::count(seen_by_api_server.begin(), seen_by_api_server.end(), issuer) == 1);
    }
  }

  // Time passes: an API server reads the bundle 20 s after it was written, one replica the leaf.
  void Pass(std::int64_t seconds) {
    facts.now += seconds;
    facts.published_for += seconds;
    if (facts.published_for >= 20) seen_by_api_server = facts.bundles[0];
    for (std::size_t i = 0; i < facts.replicas.size(); ++i) {
      if (!facts.leaf || facts.replicas[i].served_sha256 == facts.leaf->sha256) continue;
      facts.replicas[i].served_sha256 = facts.leaf->sha256;
      issuers_served[i] = facts.leaf->issuer_sha256;
      return;
    }
  }
};

struct Disturbance {
  const char* what;
  std::function<void(CertificateFacts&)> change;
};

void CheckNewAuthorityAlone(const Cluster& cluster) {
  CHECK(DecideCertificates({}, cluster.facts).state == State::kSteady);
  CHECK(cluster.facts.leaf->sha256 != "leaf1");
  CHECK(cluster.facts.old_authorities.empty());
  CHECK(cluster.facts.bundles[0] == std::vector{cluster.facts.authority->sha256});
}

TEST_CASE("C1: through every disturbance no replica serves what an API server does not trust") {
  const Disturbance disturbances[] = {
      {"the CA's time has come", [](auto& f) { f.now += 480 * kDay; }},
      {"the CA Secret is deleted", [](auto& f) { f.authority.reset(); }},
      {"the CA Secret is another", [](auto& f) { f.authority->sha256 = "ca9"; }},
      {"both Secrets are deleted",
       [](auto& f) {
         f.authority.reset();
         f.leaf.reset();
       }},
      {"the CA Secret and the caBundle are gone",
       [](auto& f) {
         f.authority.reset();
         f.bundles.assign(2, {});
       }},
      {"the leaf's time has come", [](auto& f) { f.now += 53 * kDay; }},
  };
  for (const Disturbance& disturbance : disturbances) {
    CAPTURE(disturbance.what);
    Cluster cluster{Steady(), {"ca1"}, {"ca1", "ca1"}, 0};
    disturbance.change(cluster.facts);
    for (int i = 0; i < 60; ++i) cluster.Step();
    CheckNewAuthorityAlone(cluster);
  }
}

TEST_CASE("C1: the CA Secret may be deleted again at every step of a rotation") {
  const auto deleted = [](CertificateFacts& f) {
    f.authority.reset();
    f.old_authorities.clear();
  };
  const Disturbance disturbances[] = {
      {"the CA Secret is deleted", deleted},
      {"both Secrets are deleted",
       [&](auto& f) {
         deleted(f);
         f.leaf.reset();
       }},
      {"the CA Secret is replaced by another without old ones",
       [](auto& f) {
         f.authority->sha256 = "ca9";
         f.old_authorities.clear();
       }},
  };
  for (const Disturbance& disturbance : disturbances) {
    for (int steps = 0; steps < 30; ++steps) {
      CAPTURE(disturbance.what, steps);
      Cluster cluster{Steady(), {"ca1"}, {"ca1", "ca1"}, 0};
      deleted(cluster.facts);
      for (int i = 0; i < steps; ++i) cluster.Step();
      if (!cluster.facts.authority) continue;
      disturbance.change(cluster.facts);
      for (int i = 0; i < 60; ++i) cluster.Step();
      CheckNewAuthorityAlone(cluster);
    }
  }
}

}  // namespace
}  // namespace shm
