#include "kube/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

namespace shm::kube {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Cert = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio Reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

Cert NextCert(BIO* bio) { return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free}; }

// Encrypted keys are refused; without this OpenSSL would ask at the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

std::string OpenSslError() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "not PEM" : reason;
}

Result<void> Trust(SSL_CTX* context, const std::string& pem) {
  const Bio bio = Reader(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (Cert cert = NextCert(bio.get())) {
    if (X509_STORE_add_cert(store, cert.get()) == 1) ++count;
  }
  if (count == 0) return Error{"certificate-authority", "holds no certificate: " + OpenSslError()};
  ERR_clear_error();  // the end of the PEM text counts as an error
  return {};
}

Result<void> UseChain(SSL_CTX* context, const std::string& pem) {
  const Bio bio = Reader(pem);
  const Cert leaf = NextCert(bio.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return Error{"client-certificate", "cannot be used: " + OpenSslError()};
  }
  while (Cert cert = NextCert(bio.get())) {
    if (SSL_CTX_add1_chain_cert(context, cert.get()) != 1) break;
  }
  ERR_clear_error();
  return {};
}

Result<void> UseKey(SSL_CTX* context, const std::string& pem) {
  const Bio bio = Reader(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassphrase, nullptr),
                &EVP_PKEY_free);
  if (!key) return Error{"client-key", "cannot be used: " + OpenSslError()};
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Error{"client-key", "does not fit client-certificate: " + OpenSslError()};
  }
  return {};
}

Result<void> Fill(SSL_CTX* context, const ClusterConfig& config) {
  if (auto trusted = Trust(context, config.ca_pem); !trusted.ok()) return trusted.error();
  if (config.client_cert_pem.empty()) return {};
  if (auto used = UseChain(context, config.client_cert_pem); !used.ok()) return used.error();
  return UseKey(context, config.client_key_pem);
}

// Where a TlsContext finds itself again, and a connection its user pointer. Index 0 is asio's.
int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int UserIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

bool IsIpLiteral(const std::string& host) {
  unsigned char address[16];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(const ClusterConfig& config) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return Error{"", "OpenSSL made no context: " + OpenSslError()};
  std::shared_ptr<TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (auto filled = Fill(context, config); !filled.ok()) return filled.error();
  made->SetName(config);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);  // cpprestsdk asks for it, others may not
  SSL_CTX_set_cert_verify_callback(context, &TlsContext::Verify, made.get());
  SSL_CTX_set_ex_data(context, ContextIndex(), made.get());
  SSL_CTX_set_info_callback(context, &TlsContext::Info);
  return made;
}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(const std::string& host,
                                                     const std::string& ca_pem) {
  ClusterConfig config;
  config.host = host;
  config.ca_pem = ca_pem;
  return Make(config);
}

TlsContext::~TlsContext() {
  // Connections that outlive this must not call back into it.
  SSL_CTX_set_ex_data(context_, ContextIndex(), nullptr);
  SSL_CTX_set_cert_verify_callback(
      context_, [](X509_STORE_CTX*, void*) { return 0; }, nullptr);
  SSL_CTX_free(context_);
}

void TlsContext::SetName(const ClusterConfig& config) {
  const std::string& name = config.tls_server_name.empty() ? config.host : config.tls_server_name;
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context_);
  if (IsIpLiteral(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str());
    return;
  }
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  server_name_ = name;
}

void TlsContext::SetUserPointer(SSL* ssl, void* user) { SSL_set_ex_data(ssl, UserIndex(), user); }

std::string TlsContext::TakeVerifyError() {
  MutexLock lock(mutex_);
  return std::exchange(verify_error_, {});
}

// In place of the callback that asio sets on each connection, which checks the Host header's text.
int TlsContext::Verify(X509_STORE_CTX* store, void* self) {
  X509_STORE_CTX_set_verify_cb(store, [](int ok, X509_STORE_CTX*) { return ok; });
  if (X509_verify_cert(store) > 0) return 1;
  auto* context = static_cast<TlsContext*>(self);
  MutexLock lock(context->mutex_);
  context->verify_error_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
  return 0;
}

void TlsContext::Info(const SSL* ssl, int where, int) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  auto* self = static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ContextIndex()));
  if (self == nullptr) return;
  SSL* connection = const_cast<SSL*>(ssl);
  if (!self->server_name_.empty()) {
    SSL_set_tlsext_host_name(connection, self->server_name_.c_str());
  }
  if (self->on_handshake_) self->on_handshake_(connection, SSL_get_ex_data(ssl, UserIndex()));
}

}  // namespace shm::kube
