#include "kube/proxy_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/base64.h"

namespace shm::kube {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// For messages. Whatever precedes the last '@' may be a password, however broken the rest is.
std::string WithoutCredentials(const std::string& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string::npos) return text;
  const std::size_t scheme = text.find("://");
  const std::size_t begin = scheme < at ? scheme + 3 : 0;
  return text.substr(0, begin) + "..." + text.substr(at);
}

Error Refuse(const std::string& text, const std::string& why) {
  return Error{"", "'" + WithoutCredentials(text) + "' " + why};
}

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
      return std::nullopt;
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

// False where the escapes of `user_info` cannot be read.
bool ReadCredentials(std::string_view user_info, ProxyUrl& proxy) {
  const std::size_t colon = std::min(user_info.find(':'), user_info.size());
  const auto user = PercentDecoded(user_info.substr(0, colon));
  const auto password = PercentDecoded(user_info.substr(std::min(colon + 1, user_info.size())));
  if (!user || !password) return false;
  proxy.user = *user;
  proxy.password = *password;
  return true;
}

// 4 or 16 bytes; an IPv4 address inside IPv6 is an IPv4 address. Empty: no address.
std::string ReadAddress(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  if (std::string_view(bytes.data(), 12) == mapped) return {bytes.data() + 12, 4};
  return {bytes.data(), bytes.size()};
}

bool IsLoopback(const std::string& address) {
  if (address.size() == 4) return address[0] == 127;
  return address.size() == 16 && address == ReadAddress("::1");
}

// Nothing where `entry` is no CIDR. It holds no name.
std::optional<bool> MatchesCidr(const std::string& entry, const std::string& address) {
  const std::size_t slash = entry.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string network = ReadAddress(entry.substr(0, slash));
  if (network.empty()) return std::nullopt;
  const bool mapped = network.size() == 4 && entry.find(':') != std::string::npos;
  const int most = mapped || network.size() == 16 ? 128 : 32;
  int bits = -1;
  const char* last = entry.data() + entry.size();
  const auto [end, error] = std::from_chars(entry.data() + slash + 1, last, bits);
  if (error != std::errc() || end != last || bits < 0 || bits > most) return std::nullopt;
  if (mapped) bits = std::max(bits - 96, 0);
  if (address.size() != network.size()) return false;
  for (std::size_t i = 0; i < network.size() && bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
    if (((network[i] ^ address[i]) & mask) != 0) return false;
  }
  return true;
}

struct HostPort {
  std::string host;
  std::string port;
};

// As net.SplitHostPort; where there is no port, the whole is the host.
HostPort SplitHostPort(const std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string::npos) return {entry, ""};
  if (entry.front() == '[') {
    if (colon == 0 || entry[colon - 1] != ']') return {entry, ""};
    return {entry.substr(1, colon - 2), entry.substr(colon + 1)};
  }
  if (entry.find(':') != colon) return {entry, ""};  // an IPv6 address
  return {entry.substr(0, colon), entry.substr(colon + 1)};
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool MatchesDomain(const std::string& host, const std::string& entry) {
  std::string domain = entry.compare(0, 2, "*.") == 0 ? entry.substr(1) : entry;
  if (domain.front() != '.') {
    if (host == domain) return true;
    domain.insert(0, ".");
  }
  return EndsWith(host, domain);
}

// `address`: of `host`, empty where it is a name.
bool Matches(const std::string& entry, const std::string& host, const std::string& address,
             int port) {
  if (entry.empty()) return false;
  if (entry == "*") return true;
  if (const auto cidr = MatchesCidr(entry, address)) return *cidr;
  const HostPort wanted = SplitHostPort(entry);
  if (wanted.host.empty()) return false;
  if (!wanted.port.empty() && wanted.port != std::to_string(port)) return false;
  const std::string wanted_address = ReadAddress(wanted.host);
  if (!wanted_address.empty()) return wanted_address == address;
  return address.empty() && MatchesDomain(host, wanted.host);
}

}  // namespace

std::string NameOf(const ProxyUrl& proxy) {
  const bool ipv6 = proxy.host.find(':') != std::string::npos;
  return (proxy.tls ? "https://" : "http://") + (ipv6 ? "[" + proxy.host + "]" : proxy.host) + ":" +
         std::to_string(proxy.port);
}

std::string AuthorizationOf(const ProxyUrl& proxy) {
  if (proxy.user.empty() && proxy.password.empty()) return {};
  return "Basic " + EncodeBase64(proxy.user + ":" + proxy.password);
}

Result<ProxyUrl> ParseProxyUrl(const std::string& text, bool server_tls) {
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) {
    return Refuse(text, "does not begin with http:// or https://");
  }
  const std::string scheme = Lower(text.substr(0, colon));
  if (scheme.compare(0, 5, "socks") == 0) {
    return Refuse(text,
                  "is a SOCKS proxy, which is not supported; give an http:// or https:// one");
  }
  if (scheme != "http" && scheme != "https") {
    return Refuse(text, "does not begin with http:// or https://");
  }
  std::string authority = text.substr(colon + 3);
  authority.resize(std::min(authority.find_first_of("/?#"), authority.size()));
  ProxyUrl proxy;
  if (const std::size_t at = authority.rfind('@'); at != std::string::npos) {
    if (!ReadCredentials(std::string_view(authority).substr(0, at), proxy)) {
      return Refuse(text, "has a user or password with a '%' that begins no escape");
    }
    authority.erase(0, at + 1);
  }
  const auto url = ParseServerUrl(scheme + "://" + authority);
  if (!url.ok()) return Refuse(text, "has no host, or a port that is not 1 to 65535");
  if (url->tls && !server_tls) {
    return Refuse(text, "is an https:// proxy, and the server's address is http://; use one kind");
  }
  proxy.tls = url->tls;
  proxy.host = url->host;
  proxy.port = url->port;
  return proxy;
}

bool BypassesProxy(const std::string& host, int port, std::string_view no_proxy) {
  const std::string address = ReadAddress(host);
  if (host == "localhost" || IsLoopback(address)) return true;
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    if (Matches(Lower(Trimmed(no_proxy.substr(0, comma))), host, address, port)) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

Result<std::optional<ProxyUrl>> ProxyFromEnvironment(const ServerUrl& server,
                                                     const Environment& environment) {
  const auto read = [&environment](const char* upper, const char* lower, std::string& value) {
    value = environment(upper).value_or("");
    if (!value.empty()) return upper;
    value = environment(lower).value_or("");
    return lower;
  };
  std::string text;
  const char* name = server.tls ? read("HTTPS_PROXY", "https_proxy", text)
                                : read("HTTP_PROXY", "http_proxy", text);
  std::string no_proxy;
  read("NO_PROXY", "no_proxy", no_proxy);
  if (text.empty() || BypassesProxy(server.host, server.port, no_proxy)) {
    return std::optional<ProxyUrl>();
  }
  const bool has_scheme = text.find("://") != std::string::npos;
  const auto proxy = ParseProxyUrl(has_scheme ? text : "http://" + text, server.tls);
  if (!proxy.ok()) return Error{name, proxy.error().message};
  return std::optional<ProxyUrl>(*proxy);
}

}  // namespace shm::kube
