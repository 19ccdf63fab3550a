// The TLS settings of connections to the API server.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "core/mutex.h"
#include "core/result.h"
#include "kube/cluster_config.h"

namespace shm::kube {

// One SSL_CTX for all connections: TLS 1.2 or newer, the cluster's CA and no other, our client
// certificate, and the server's name or address checked by OpenSSL itself. Thread-safe.
class TlsContext {
 public:
  // An Error names the part of `config` that OpenSSL refuses.
  static Result<std::shared_ptr<TlsContext>> Make(const ClusterConfig& config);
  // For another server, whose certificate says `host`; without a certificate of ours.
  static Result<std::shared_ptr<TlsContext>> Make(const std::string& host,
                                                  const std::string& ca_pem);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return context_; }

  // Runs when the handshake of a connection begins, with what SetUserPointer gave it (else null).
  void OnHandshake(std::function<void(SSL* ssl, void* user)> on_handshake) {
    on_handshake_ = std::move(on_handshake);
  }
  static void SetUserPointer(SSL* ssl, void* user);

  // Why the last certificate was refused; empty if none was since the last call.
  std::string TakeVerifyError() SHM_EXCLUDES(mutex_);

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}

  static int Verify(X509_STORE_CTX* store, void* self);
  static void Info(const SSL* ssl, int where, int value);
  void SetName(const ClusterConfig& config);

  SSL_CTX* const context_;
  std::string server_name_;  // for SNI; empty for addresses
  std::function<void(SSL*, void*)> on_handshake_;
  Mutex mutex_;
  std::string verify_error_ SHM_GUARDED_BY(mutex_);
};

// Whether `host` is an IPv4 or IPv6 literal, without brackets.
bool IsIpLiteral(const std::string& host);

}  // namespace shm::kube
