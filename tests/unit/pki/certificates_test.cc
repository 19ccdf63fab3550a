#include "pki/certificates.h"

#include <catch2/catch.hpp>

#include "core/certificate_plan.h"

namespace shm::pki {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kDay = 86'400;
const std::vector<std::string> kNames = {"shm-operator-webhook.shm-system.svc",
                                         "shm-operator-webhook.shm-system.svc.cluster.local"};

KeyPair Authority(const std::string& name = "shm-operator") {
  Result<KeyPair> made = CreateAuthority(name, kNow, 730 * kDay);
  REQUIRE(made.ok());
  return *made;
}

KeyPair Leaf(const KeyPair& authority, std::int64_t lifetime = 90 * kDay) {
  Result<KeyPair> made = IssueServing(authority, kNames, kNow, lifetime);
  REQUIRE(made.ok());
  return *made;
}

TEST_CASE("An authority says so, and begins before now for clocks that are behind") {
  const CertificateInfo info = *Inspect(Authority().certificate_pem);
  CHECK(info.subject == "shm-operator");
  CHECK(info.issuer == "shm-operator");
  CHECK(info.is_authority);
  CHECK(info.not_before == kNow - kClockSkewMargin);
  CHECK(info.not_after == kNow + 730 * kDay);
  CHECK(info.sha256.size() == 64);
}

TEST_CASE("A serving certificate names what it was asked for and never outlives its authority") {
  const KeyPair authority = Authority();
  const CertificateInfo info = *Inspect(Leaf(authority).certificate_pem);
  CHECK(info.dns_names == kNames);
  CHECK(info.issuer == "shm-operator");
  CHECK_FALSE(info.is_authority);
  CHECK(info.not_before == kNow - kClockSkewMargin);
  CHECK(info.not_after == kNow + 90 * kDay);
  CHECK(Inspect(Leaf(authority, 9'000 * kDay).certificate_pem)->not_after == kNow + 730 * kDay);
}

TEST_CASE("A pair is found good exactly where a client would find it good") {
  const KeyPair authority = Authority();
  const KeyPair other = Authority();  // same name, another key
  const KeyPair leaf = Leaf(authority);
  const std::string both = *JoinBundle({other.certificate_pem, authority.certificate_pem});
  struct Row {
    const char* what;
    std::string certificate, key, bundle, name;
    std::int64_t now;
    const char* error;  // empty: good
  };
  const Row rows[] = {
      {"good", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem, kNames[0], kNow, ""},
      {"the other name", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem, kNames[1],
       kNow, ""},
      {"old and new in the bundle", leaf.certificate_pem, leaf.key_pem, both, kNames[0], kNow, ""},
      {"a clock half an hour behind", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem,
       kNames[0], kNow - 1800, ""},
      {"another authority of the same name", leaf.certificate_pem, leaf.key_pem,
       other.certificate_pem, kNames[0], kNow, "unable to get local issuer certificate"},
      {"another key", leaf.certificate_pem, other.key_pem, authority.certificate_pem, kNames[0],
       kNow, "does not belong"},
      {"another name", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem, "evil.svc",
       kNow, "hostname mismatch"},
      {"expired", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem, kNames[0],
       kNow + 91 * kDay, "expired"},
      {"not yet", leaf.certificate_pem, leaf.key_pem, authority.certificate_pem, kNames[0],
       kNow - kDay, "not yet valid"},
      {"half a certificate", leaf.certificate_pem.substr(0, 200), leaf.key_pem,
       authority.certificate_pem, kNames[0], kNow, "damaged"},
      {"half a key", leaf.certificate_pem, leaf.key_pem.substr(0, 100), authority.certificate_pem,
       kNames[0], kNow, "not a PEM private key"},
      {"nothing", "", "", "", kNames[0], kNow, "no PEM certificate"},
      {"no bundle", leaf.certificate_pem, leaf.key_pem, "", kNames[0], kNow, "no PEM certificate"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    const Result<void> verified =
        VerifyPair(row.certificate, row.key, row.bundle, row.name, row.now);
    CHECK(verified.ok() == std::string(row.error).empty());
    if (!verified.ok()) CHECK(verified.error().ToString().find(row.error) != std::string::npos);
  }
}

TEST_CASE("Names that are none are refused rather than written into a certificate") {
  for (const std::vector<std::string>& names : std::vector<std::vector<std::string>>{
           {}, {""}, {"a,DNS:evil"}, {"a\nb"}, {"UPPER"}, {"ok", "email:x"}}) {
    const Result<KeyPair> issued = IssueServing(Authority(), names, kNow, kDay);
    REQUIRE_FALSE(issued.ok());
    CHECK(issued.error().field == "dnsNames");
  }
}

TEST_CASE("A damaged authority issues nothing") {
  const KeyPair good = Authority();
  for (const KeyPair& damaged : {KeyPair{}, KeyPair{good.certificate_pem, Authority().key_pem},
                                 KeyPair{good.certificate_pem.substr(0, 300), good.key_pem}}) {
    CHECK_FALSE(IssueServing(damaged, kNames, kNow, kDay).ok());
  }
}

TEST_CASE("A bundle is split and joined, each certificate once") {
  const KeyPair one = Authority();
  const KeyPair two = Authority();
  const std::string bundle =
      *JoinBundle({one.certificate_pem, two.certificate_pem, one.certificate_pem});
  CHECK(bundle == one.certificate_pem + two.certificate_pem);
  CHECK(*SplitBundle("# ours\n" + bundle + "trailing\n") ==
        std::vector{one.certificate_pem, two.certificate_pem});
  CHECK(SplitBundle("")->empty());
  CHECK_FALSE(SplitBundle(bundle.substr(0, bundle.size() - 60)).ok());
  std::string damaged = bundle;
  damaged.replace(100, 20, "AAAAAAAAAAAAAAAAAAAA");
  CHECK_FALSE(SplitBundle(damaged).ok());
}

}  // namespace
}  // namespace shm::pki
