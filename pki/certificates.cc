#include "pki/certificates.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "core/certificate_plan.h"
#include "pki/openssl.h"

namespace shm::pki {
namespace {

struct Validity {
  std::int64_t not_before;
  std::int64_t not_after;
};

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// 127 random bits: unguessable, positive, and short enough for RFC 5280.
bool SetSerial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x01);
  const NumberPtr number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetName(X509_NAME* name, const std::string& common_name) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool SetTime(ASN1_TIME* time, std::int64_t unix_seconds) {
  return ASN1_TIME_set(time, static_cast<std::time_t>(unix_seconds)) != nullptr;
}

CertificatePtr NewCertificate(const std::string& common_name, Validity validity, EVP_PKEY* key) {
  CertificatePtr certificate(X509_new());
  const bool set = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                   SetSerial(certificate.get()) &&
                   SetName(X509_get_subject_name(certificate.get()), common_name) &&
                   SetTime(X509_getm_notBefore(certificate.get()), validity.not_before) &&
                   SetTime(X509_getm_notAfter(certificate.get()), validity.not_after) &&
                   X509_set_pubkey(certificate.get(), key) == 1;
  return set ? std::move(certificate) : nullptr;
}

std::string CommonName(const X509_NAME* name) {
  const int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (index < 0) return "";
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> DnsNames(const X509* certificate) {
  std::vector<std::string> names;
  const GeneralNamesPtr all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return names;
}

CertificateInfo Describe(X509* certificate) {
  CertificateInfo info;
  info.subject = CommonName(X509_get_subject_name(certificate));
  info.issuer = CommonName(X509_get_issuer_name(certificate));
  info.dns_names = DnsNames(certificate);
  info.not_before = UnixSeconds(X509_get0_notBefore(certificate));
  info.not_after = UnixSeconds(X509_get0_notAfter(certificate));
  info.is_authority = X509_check_ca(certificate) == 1;
  info.sha256 = Sha256Hex(certificate);
  return info;
}

std::string SubjectAltName(const std::vector<std::string>& dns_names) {
  std::string value;
  for (const std::string& name : dns_names) value += (value.empty() ? "DNS:" : ",DNS:") + name;
  return value;
}

// The configuration syntax of OpenSSL would read a comma or a colon as more than a name.
bool IsDnsName(const std::string& name) {
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '*';
  });
}

Result<void> VerifyChain(const std::vector<CertificatePtr>& chain,
                         const std::vector<CertificatePtr>& trusted, const std::string& dns_name,
                         std::int64_t now) {
  const StorePtr store(X509_STORE_new());
  for (const CertificatePtr& authority : trusted) X509_STORE_add_cert(store.get(), authority.get());
  const StackPtr between(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(between.get(), chain[i].get());
  const StoreContextPtr context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), between.get());
  X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(wanted, static_cast<std::time_t>(now));
  X509_VERIFY_PARAM_set1_host(wanted, dns_name.c_str(), dns_name.size());
  X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_SERVER);
  if (X509_verify_cert(context.get()) == 1) return {};
  return Error{"tls.crt", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))};
}

}  // namespace

Result<KeyPair> CreateAuthority(const std::string& common_name, std::int64_t now,
                                std::int64_t lifetime) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return OpenSslError("", "cannot make a key");
  CertificatePtr certificate =
      NewCertificate(common_name, {now - kClockSkewMargin, now + lifetime}, key.get());
  X509* raw = certificate.get();
  const bool made = raw != nullptr && SetName(X509_get_issuer_name(raw), common_name) &&
                    AddExtension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    AddExtension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    AddExtension(raw, raw, NID_subject_key_identifier, "hash") &&
                    X509_sign(raw, key.get(), EVP_sha256()) > 0;
  if (!made) return OpenSslError("", "cannot make an authority");
  return KeyPair{ToPem(raw), ToPem(key.get())};
}

Result<KeyPair> IssueServing(const KeyPair& authority, const std::vector<std::string>& dns_names,
                             std::int64_t now, std::int64_t lifetime) {
  if (dns_names.empty() || !std::all_of(dns_names.begin(), dns_names.end(), IsDnsName)) {
    return Error{"dnsNames", "a serving certificate needs lower-case DNS names"};
  }
  if (Result<void> belongs = CheckKey(authority.certificate_pem, authority.key_pem); !belongs) {
    return belongs.error();
  }
  const CertificatePtr issuer = std::move(ReadCertificates(authority.certificate_pem)->front());
  const KeyPtr issuer_key = ReadKey(authority.key_pem);
  const std::int64_t end = std::min(now + lifetime, UnixSeconds(X509_get0_notAfter(issuer.get())));
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return OpenSslError("", "cannot make a key");
  // A common name holds 64 characters at most, and nobody reads it: the names are in the extension.
  CertificatePtr certificate =
      NewCertificate(dns_names.front().substr(0, 64), {now - kClockSkewMargin, end}, key.get());
  X509* raw = certificate.get();
  const bool made =
      raw != nullptr && X509_set_issuer_name(raw, X509_get_subject_name(issuer.get())) == 1 &&
      AddExtension(raw, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      AddExtension(raw, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
      AddExtension(raw, issuer.get(), NID_ext_key_usage, "serverAuth") &&
      AddExtension(raw, issuer.get(), NID_subject_key_identifier, "hash") &&
      AddExtension(raw, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
      AddExtension(raw, issuer.get(), NID_subject_alt_name, SubjectAltName(dns_names)) &&
      X509_sign(raw, issuer_key.get(), EVP_sha256()) > 0;
  if (!made) return OpenSslError("", "cannot issue a serving certificate");
  return KeyPair{ToPem(raw), ToPem(key.get())};
}

Result<CertificateInfo> Inspect(std::string_view pem) {
  const Result<std::vector<CertificatePtr>> certificates = ReadCertificates(pem);
  if (!certificates) return certificates.error();
  if (certificates->empty()) return Error{"", "holds no PEM certificate"};
  return Describe(certificates->front().get());
}

Result<void> CheckKey(std::string_view certificate_pem, std::string_view key_pem) {
  const Result<std::vector<CertificatePtr>> chain = ReadCertificates(certificate_pem);
  if (!chain) return Error{"tls.crt", chain.error().message};
  if (chain->empty()) return Error{"tls.crt", "holds no PEM certificate"};
  const KeyPtr key = ReadKey(key_pem);
  if (!key) return OpenSslError("tls.key", "is not a PEM private key");
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    return OpenSslError("tls.key", "does not belong to tls.crt");
  }
  return {};
}

Result<void> VerifyPair(std::string_view certificate_pem, std::string_view key_pem,
                        std::string_view ca_bundle, const std::string& dns_name, std::int64_t now) {
  if (Result<void> belongs = CheckKey(certificate_pem, key_pem); !belongs) return belongs;
  const Result<std::vector<CertificatePtr>> trusted = ReadCertificates(ca_bundle);
  if (!trusted) return Error{"ca.crt", trusted.error().message};
  if (trusted->empty()) return Error{"ca.crt", "holds no PEM certificate"};
  return VerifyChain(*ReadCertificates(certificate_pem), *trusted, dns_name, now);
}

Result<std::vector<std::string>> SplitBundle(std::string_view pem) {
  const Result<std::vector<CertificatePtr>> certificates = ReadCertificates(pem);
  if (!certificates) return certificates.error();
  std::vector<std::string> pems;
  for (const CertificatePtr& certificate : *certificates) pems.push_back(ToPem(certificate.get()));
  return pems;
}

Result<std::string> JoinBundle(const std::vector<std::string>& pems) {
  std::string bundle;
  std::set<std::string> seen;
  for (const std::string& pem : pems) {
    const Result<std::vector<std::string>> parts = SplitBundle(pem);
    if (!parts) return parts.error();
    for (const std::string& part : *parts) {
      if (seen.insert(part).second) bundle += part;
    }
  }
  return bundle;
}

}  // namespace shm::pki
