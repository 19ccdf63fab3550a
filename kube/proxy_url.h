// Which HTTP proxy, if any, leads to an API server: `proxy-url` of a kubeconfig, or the
// environment.
//
// As client-go does it: tools/clientcmd/helpers.go (parseProxyURL) for the kubeconfig; for the
// environment net/http's ProxyFromEnvironment, golang.org/x/net/http/httpproxy/proxy.go. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "kube/environment.h"
#include "kube/server_url.h"

namespace shm::kube {

struct ProxyUrl {
  bool tls = false;  // we speak TLS with the proxy itself
  std::string host;  // lower-case name or IP literal, without brackets
  int port = 0;      // 1 to 65535
  std::string user;  // decoded; empty with an empty password: no credentials
  std::string password;
  friend bool operator==(const ProxyUrl&, const ProxyUrl&) = default;
};

// "http://host:port", brackets where needed, never the credentials: for messages.
std::string NameOf(const ProxyUrl& proxy);

// The value of Proxy-Authorization; empty without credentials.
std::string AuthorizationOf(const ProxyUrl& proxy);

// "http[s]://[user[:password]@]host[:port]" for a server that is reached by TLS, or by plain HTTP.
// Without a port: 80, or 443 for https. What follows the authority is ignored. Error::field is
// empty; the message names the value without its credentials.
Result<ProxyUrl> ParseProxyUrl(const std::string& text, bool server_tls);

// Whether NO_PROXY's value, or the host itself (localhost, a loopback address), says that `host`
// (as in ServerUrl) is reached directly. A list with commas of: "*"; an address or CIDR; a domain,
// which counts for what is below it too; ".domain" or "*.domain", which count for that alone. All
// but CIDRs and "*" may end in ":port".
bool BypassesProxy(const std::string& host, int port, std::string_view no_proxy);

// HTTPS_PROXY (HTTP_PROXY where the server is plain http) and NO_PROXY; each also in lower case,
// which counts where the other is unset or empty. "host:port" without a scheme is an http:// proxy.
// Error::field is the variable's name. In one thing unlike Go: a value that cannot be used is
// refused, where Go would go around the proxy.
Result<std::optional<ProxyUrl>> ProxyFromEnvironment(const ServerUrl& server,
                                                     const Environment& environment);

}  // namespace shm::kube
