// TLS connections to the API server through an HTTP proxy, by CONNECT (RFC 9110, 9.3.6).
//
// A layer below the connection's TLS, inside OpenSSL: it asks the proxy first and lets nothing pass
// before the answer is 200. Whoever moves the bytes (here cpprestsdk) connects to the proxy's
// address, and finds that the handshake takes a little longer; its deadlines, cancels and
// keep-alives hold for the way through the proxy too.
//
// Not cpprestsdk's own set_proxy (2.10.18, http_client_asio.cpp): before the tunnel stands a cancel
// does nothing there, it speaks no TLS with the proxy, writes IPv6 addresses without brackets, and
// hands set_nativehandle_options a plain socket where a TLS stream is meant.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "core/mutex.h"
#include "core/result.h"
#include "kube/proxy_url.h"
#include "kube/tls_context.h"

namespace shm::kube {

// For all connections of one transport. Thread-safe.
class ProxyTunnel : public std::enable_shared_from_this<ProxyTunnel> {
 public:
  // `target`: "host:port" of the API server, with brackets where needed. With a proxy that speaks
  // TLS: `ca_pem` is what its certificate is checked against, and its own name is checked, as
  // client-go does unless tls-server-name is set; no client certificate of ours is shown to it.
  static Result<std::shared_ptr<ProxyTunnel>> Make(const ProxyUrl& proxy, const std::string& target,
                                                   const std::string& ca_pem);

  // Puts the layer below `ssl`, whose handshake has not begun. Once; later calls do nothing.
  void Install(SSL* ssl);

  // Why the proxy led nowhere at last, for a person and without credentials; empty since a
  // connection stood. Of whichever connection: the library tells no more than "handshake failed".
  std::string LastError() const SHM_EXCLUDES(mutex_);

 private:
  struct Way;  // one connection's

  ProxyTunnel(const ProxyUrl& proxy, const std::string& target);

  static BIO_METHOD* Method();
  static int Read(BIO* bio, char* data, int size);
  static int Write(BIO* bio, const char* data, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);
  static int Destroy(BIO* bio);

  bool IsOpen(BIO* bio);
  bool Ask(BIO* bio, Way& way);
  bool Listen(BIO* bio, Way& way);
  void Judge(Way& way);
  void Broke(BIO* bio, Way& way);
  void SetError(const std::string& error) SHM_EXCLUDES(mutex_);

  const std::string name_;  // the proxy's, for messages
  const std::string target_;
  const std::string request_;  // holds the credentials
  const bool has_credentials_;
  std::shared_ptr<TlsContext> tls_;  // null: plain TCP to the proxy
  mutable Mutex mutex_;
  std::string error_ SHM_GUARDED_BY(mutex_);
};

}  // namespace shm::kube
