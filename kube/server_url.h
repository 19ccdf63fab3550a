// The address of an API server as a kubeconfig writes it.
#pragma once

#include <string>

#include "core/result.h"

namespace shm::kube {

struct ServerUrl {
  bool tls = true;
  std::string host;       // lower-case name or IP literal, without brackets
  int port = 0;           // 1 to 65535
  std::string base_path;  // "" or "/prefix", no slash at its end
  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};

// "https://host[:port][/prefix]", also with an IPv6 literal in brackets. No user, query, fragment
// or zone. Without a port: 443, or 80 for http.
Result<ServerUrl> ParseServerUrl(const std::string& text);

}  // namespace shm::kube
