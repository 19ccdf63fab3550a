#include "kube/server_url.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "kube/tls_context.h"

namespace shm::kube {
namespace {

Error Refuse(const std::string& text, const std::string& why) {
  return Error{"server", "'" + text + "' " + why};
}

bool StartsWith(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool IsHostName(const std::string& host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
}

// False where `text` is not a port. An empty text leaves `port` alone.
bool ReadPort(std::string_view text, int& port) {
  if (text.empty()) return true;
  if (text.front() != ':') return false;
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

}  // namespace

Result<ServerUrl> ParseServerUrl(const std::string& text) {
  ServerUrl url;
  url.tls = !StartsWith(text, "http://");
  if (url.tls && !StartsWith(text, "https://")) {
    return Refuse(text, "does not begin with https:// or http://");
  }
  if (text.find_first_of("?#@") != std::string::npos) {
    return Refuse(text, "has a user, query or fragment");
  }
  const std::size_t begin = url.tls ? 8 : 7;
  const std::size_t slash = std::min(text.find('/', begin), text.size());
  const std::string authority = text.substr(begin, slash - begin);
  url.base_path = text.substr(slash);
  while (!url.base_path.empty() && url.base_path.back() == '/') url.base_path.pop_back();

  const bool bracketed = !authority.empty() && authority.front() == '[';
  const std::size_t end =
      std::min(bracketed ? authority.find(']') : authority.find(':'), authority.size());
  if (bracketed && end == authority.size()) return Refuse(text, "lacks the bracket after its host");
  url.host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (bracketed ? !IsIpLiteral(url.host) : !IsHostName(url.host)) {
    return Refuse(text, "has no host name or address");
  }
  url.port = url.tls ? 443 : 80;
  const std::string_view rest(authority);
  if (!ReadPort(rest.substr(end + (bracketed ? 1 : 0)), url.port)) {
    return Refuse(text, "has a port that is not 1 to 65535");
  }
  return url;
}

}  // namespace shm::kube
