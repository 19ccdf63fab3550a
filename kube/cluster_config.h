// How to reach an API server and who we are to it: from a kubeconfig, or from inside a pod.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "kube/environment.h"
#include "kube/proxy_url.h"

namespace shm::kube {

// A plain value. PEM texts, not paths; a token file stays a path since it rotates (trap W9).
struct ClusterConfig {
  bool tls = true;
  std::string host{};  // name or IP literal, without brackets
  int port = 443;
  std::string base_path{};        // "" or "/prefix", before every path
  std::string ca_pem{};           // trusted, and nothing else; required with tls
  std::string client_cert_pem{};  // both or neither
  std::string client_key_pem{};
  std::string token{};
  std::string token_file{};       // wins over `token`
  std::string tls_server_name{};  // empty: `host`
  std::string namespace_name = "default";
  std::optional<ProxyUrl> proxy{};  // nothing: the server is reached directly
};

// `context` empty: current-context. Relative paths are relative to the file. What cannot be
// honoured is refused with a message that says what to do: exec and auth plugins, SOCKS proxies,
// impersonation, passwords, insecure-skip-tls-verify. Error::field is the path inside the file. The
// environment says nothing here.
Result<ClusterConfig> LoadKubeconfig(const std::string& path, const std::string& context = {});

// The same from the file's text; `directory` is what relative paths are relative to.
Result<ClusterConfig> ParseKubeconfig(const std::string& text, const std::string& directory,
                                      const std::string& context = {});

inline constexpr char kServiceAccountDirectory[] = "/var/run/secrets/kubernetes.io/serviceaccount";

// KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT and the service account's ca.crt, token,
// namespace.
Result<ClusterConfig> LoadInCluster(const Environment& environment,
                                    const std::string& directory = kServiceAccountDirectory);

// The kubeconfig if `path` is not empty, else the one of $KUBECONFIG, else in-cluster, else (where
// this is no pod) ~/.kube/config. `context` (empty: current-context) is one of a kubeconfig, so
// that with it in-cluster is not tried. Without a proxy-url the environment names the proxy
// (kube/proxy_url.h), in a pod too, as with client-go.
Result<ClusterConfig> LoadClusterConfig(const std::string& path, const Environment& environment,
                                        const std::string& context = {});

}  // namespace shm::kube
