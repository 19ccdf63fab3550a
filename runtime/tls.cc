#include "runtime/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <utility>
#include <vector>

namespace shm::runtime {
namespace {

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* pointer) const { Free(pointer); }
};
using X509Ptr = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

// The last error that OpenSSL queued, in its words; empties the queue.
Error OpenSslError(const char* field, const std::string& what) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return Error{field, code == 0 ? what : what + " (" + text.data() + ")"};
}

BioPtr Reader(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without a password there is nobody to ask for one: an encrypted key is refused, not prompted for.
int NoPassword(char*, int, int, void*) { return -1; }

// Empty where a block is damaged: half a chain is none that clients could follow.
std::vector<X509Ptr> ReadCertificates(std::string_view pem) {
  std::vector<X509Ptr> chain;
  const BioPtr bio = Reader(pem);
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    chain.emplace_back(certificate);
  }
  // The end of the text is an error to OpenSSL, and the only one that is none.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) chain.clear();
  ERR_clear_error();
  return chain;
}

std::int64_t UnixSeconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

TlsPairInfo Describe(X509* leaf) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(leaf, EVP_sha256(), digest.data(), &size);
  TlsPairInfo info{
      UnixSeconds(X509_get0_notBefore(leaf)), UnixSeconds(X509_get0_notAfter(leaf)), {}};
  constexpr char kHex[] = "0123456789abcdef";
  for (unsigned int i = 0; i < size; ++i) {
    info.sha256 += kHex[digest[i] >> 4];
    info.sha256 += kHex[digest[i] & 15];
  }
  return info;
}

// Clients that offer nothing but h2 are told so; those that offer nothing go on.
int ChooseHttp11(SSL*, const unsigned char** out, unsigned char* out_length,
                 const unsigned char* in, unsigned int in_length, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kHttp11, sizeof(kHttp11) - 1, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<SSL_CTX> NewContext() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // An idle connection then holds no record buffers.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // Peers keep their tickets; whoever takes none would have 20,480 sessions kept for it here.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp11, nullptr);
  const unsigned char id[] = "shm";
  SSL_CTX_set_session_id_context(context.get(), id, sizeof(id) - 1);
  const bool set =
      SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!SHA1") &&
      SSL_CTX_set_ciphersuites(context.get(),
                               "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                               "TLS_CHACHA20_POLY1305_SHA256") &&
      SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384");
  return set ? context : nullptr;
}

Result<void> AskForClients(SSL_CTX* context, const std::string& authorities_pem) {
  const std::vector<X509Ptr> authorities = ReadCertificates(authorities_pem);
  if (authorities.empty()) return Error{"client-ca", "holds no certificate, or a damaged one"};
  for (const X509Ptr& authority : authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

Result<void> UsePair(SSL_CTX* context, const std::vector<X509Ptr>& chain, std::string_view key) {
  const BioPtr bio = Reader(key);
  const KeyPtr private_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (!private_key) return OpenSslError("tls.key", "is not a PEM private key");
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return OpenSslError("tls.crt", "cannot be used by a server");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    SSL_CTX_add1_chain_cert(context, chain[i].get());
  }
  if (SSL_CTX_use_PrivateKey(context, private_key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return OpenSslError("tls.key", "does not belong to tls.crt");
  }
  return {};
}

}  // namespace

Result<void> ServerTls::SetPair(std::string_view certificate_pem, std::string_view key_pem) {
  MutexLock lock(mutex_);
  std::string pair =
      std::string(certificate_pem) + '\0' + std::string(key_pem) + '\0' + client_authorities_;
  if (context_ && pair == pair_) return {};
  const std::vector<X509Ptr> chain = ReadCertificates(certificate_pem);
  if (chain.empty()) return Error{"tls.crt", "holds no PEM certificate, or a damaged one"};
  std::shared_ptr<SSL_CTX> context = NewContext();
  if (!context) return OpenSslError("", "cannot make a TLS context");
  if (Result<void> used = UsePair(context.get(), chain, key_pem); !used) return used;
  if (!client_authorities_.empty()) {
    if (Result<void> asked = AskForClients(context.get(), client_authorities_); !asked)
      return asked;
  }
  context_ = std::move(context);
  info_ = Describe(chain.front().get());
  pair_ = std::move(pair);
  return {};
}

void ServerTls::RequireClientAuthority(std::string authorities_pem) {
  MutexLock lock(mutex_);
  client_authorities_ = std::move(authorities_pem);
}

std::shared_ptr<SSL_CTX> ServerTls::context() const {
  MutexLock lock(mutex_);
  return context_;
}

std::optional<TlsPairInfo> ServerTls::info() const {
  MutexLock lock(mutex_);
  return info_;
}

}  // namespace shm::runtime
