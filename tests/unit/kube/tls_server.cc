#include "tests/unit/kube/tls_server.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>
#include <memory>

namespace shm::kube::testing {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Cert = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

constexpr int kDay = 24 * 3600;

Bio Memory(const std::string& text = {}) {
  BIO* bio = BIO_new(BIO_s_mem());
  BIO_write(bio, text.data(), static_cast<int>(text.size()));
  return {bio, &BIO_free};
}
std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}
Cert ReadCert(const std::string& pem) {
  return {PEM_read_bio_X509(Memory(pem).get(), nullptr, nullptr, nullptr), &X509_free};
}
Key ReadKey(const std::string& pem) {
  return {PEM_read_bio_PrivateKey(Memory(pem).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
}

void Extend(X509* cert, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

Pair Make(const Pair* ca, const std::string& san, int valid_days) {
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Cert cert(X509_new(), &X509_free);
  static int serial = 0;
  X509_set_version(cert.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -10 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), valid_days * kDay);
  X509_set_pubkey(cert.get(), key.get());
  const std::string name = ca == nullptr ? "ca" + std::to_string(serial) : "leaf";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  const Cert issuer = ca == nullptr ? Cert(nullptr, &X509_free) : ReadCert(ca->cert_pem);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer ? issuer.get() : cert.get()));
  if (ca == nullptr) {
    Extend(cert.get(), NID_basic_constraints, "critical,CA:TRUE");
  } else {
    Extend(cert.get(), NID_subject_alt_name, san.c_str());
  }
  const Key issuer_key = ca == nullptr ? Key(nullptr, &EVP_PKEY_free) : ReadKey(ca->key_pem);
  X509_sign(cert.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256());
  const Bio cert_bio = Memory();
  PEM_write_bio_X509(cert_bio.get(), cert.get());
  const Bio key_bio = Memory();
  PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {TextOf(cert_bio.get()), TextOf(key_bio.get())};
}

}  // namespace

Pair MakeCa() { return Make(nullptr, "", 1); }

Pair MakeCert(const Pair& ca, const std::string& san, int valid_days) {
  return Make(&ca, san, valid_days);
}

TlsPeer::TlsPeer(int fd, const Pair& pair, const std::string& client_ca)
    : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free), ssl_(nullptr, &SSL_free) {
  SSL_CTX_use_certificate(context_.get(), ReadCert(pair.cert_pem).get());
  SSL_CTX_use_PrivateKey(context_.get(), ReadKey(pair.key_pem).get());
  if (!client_ca.empty()) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ReadCert(client_ca).get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that the peer has closed
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd);
  ok_ = SSL_accept(ssl_.get()) == 1;
}

std::string TlsPeer::sni() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

std::string TlsPeer::Read() {
  std::array<char, 16384> buffer{};
  const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

bool TlsPeer::Write(const std::string& bytes) {
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

void TlsPeer::Close() { SSL_shutdown(ssl_.get()); }

bool TlsPeer::HasMore() const { return SSL_pending(ssl_.get()) > 0; }

Served ServeTls(int fd, const Pair& pair, const std::string& client_ca,
                const std::string& response) {
  TlsPeer peer(fd, pair, client_ca);
  if (!peer.ok()) return {};
  Served served{peer.sni(), peer.Read()};
  if (served.request.empty()) return {};
  peer.Write(response);
  peer.Close();
  return served;
}

}  // namespace shm::kube::testing
