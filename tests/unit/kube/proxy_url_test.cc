#include "kube/proxy_url.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

namespace shm::kube {
namespace {

Environment Variables(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

TEST_CASE("Proxy addresses, with credentials and without") {
  struct Row {
    const char* text;
    ProxyUrl url;
    const char* name;
  };
  const Row rows[] = {
      {"http://proxy:3128", {false, "proxy", 3128, "", ""}, "http://proxy:3128"},
      {"http://Proxy", {false, "proxy", 80, "", ""}, "http://proxy:80"},
      {"HTTPS://proxy/ignored?x", {true, "proxy", 443, "", ""}, "https://proxy:443"},
      {"http://[fd00::1]:3128/", {false, "fd00::1", 3128, "", ""}, "http://[fd00::1]:3128"},
      {"http://me:s%40cret%3A@10.0.0.1:1",
       {false, "10.0.0.1", 1, "me", "s@cret:"},
       "http://10.0.0.1:1"},
      {"http://me@p", {false, "p", 80, "me", ""}, "http://p:80"},
      {"http://:only@p", {false, "p", 80, "", "only"}, "http://p:80"},
      {"http://a:b:c@d@p", {false, "p", 80, "a", "b:c@d"}, "http://p:80"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto url = ParseProxyUrl(row.text, /*server_tls=*/true);
    REQUIRE(url.ok());
    CHECK(*url == row.url);
    CHECK(NameOf(*url) == row.name);
  }
}

TEST_CASE("A proxy that cannot be used is refused by its value, without its credentials") {
  struct Row {
    const char* text;
    const char* message;  // how it begins
  };
  const Row rows[] = {
      {"socks5://proxy:1080", "'socks5://proxy:1080' is a SOCKS proxy, which is not supported"},
      {"socks5h://me:secret@proxy", "'socks5h://...@proxy' is a SOCKS proxy"},
      {"ftp://proxy", "'ftp://proxy' does not begin with http:// or https://"},
      {"proxy:3128", "'proxy:3128' does not begin with http:// or https://"},
      {"me:secret@proxy", "'...@proxy' does not begin"},
      {"http://", "'http://' has no host"},
      {"http://me:secret@", "'http://...@' has no host"},
      {"http://me:secret@proxy:0", "'http://...@proxy:0' has no host, or a port"},
      {"http://me:secret@a b", "'http://...@a b' has no host"},
      {"http://me:se/cret@proxy", "'http://...@proxy' has no host"},
      {"http://me:secret%@proxy", "'http://...@proxy' has a user or password with a '%'"},
      {"http://me:secret%4@proxy", "'http://...@proxy' has a user or password with a '%'"},
      {"http://me:secret%zz@proxy", "'http://...@proxy' has a user or password with a '%'"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto url = ParseProxyUrl(row.text, /*server_tls=*/true);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().field.empty());
    CHECK_THAT(url.error().message, Catch::StartsWith(row.message));
    CHECK(url.error().message.find("cret") == std::string::npos);
  }
  CHECK(ParseProxyUrl("http://p", /*server_tls=*/false).ok());
  CHECK_FALSE(ParseProxyUrl("https://p", /*server_tls=*/false).ok());
}

TEST_CASE("NO_PROXY names what is reached directly, and loopback always is") {
  struct Row {
    const char* no_proxy;
    const char* host;
    bool direct;
  };
  const Row rows[] = {
      {"", "api.example.com", false},
      {"", "localhost", true},
      {"", "127.0.0.1", true},
      {"", "127.8.8.8", true},
      {"", "::1", true},
      {"", "::ffff:127.0.0.1", true},
      {"", "localhost.example.com", false},
      {"*", "api.example.com", true},
      {"foo, *", "10.0.0.1", true},
      {"*x", "x", false},
      // Domains.
      {"example.com", "example.com", true},
      {"example.com", "api.example.com", true},
      {"example.com", "badexample.com", false},
      {" EXAMPLE.com ", "api.example.com", true},
      {".example.com", "api.example.com", true},
      {".example.com", "example.com", false},
      {"*.example.com", "a.b.example.com", true},
      {"*.example.com", "example.com", false},
      {"a,,b , example.com", "example.com", true},
      {"com", "example.com", true},
      {"example.com:6443", "api.example.com", true},
      {"example.com:443", "api.example.com", false},
      {"example.com:", "api.example.com", true},
      {":6443", "api.example.com", false},
      {"1", "10.0.0.1", false},
      {"0.0.1", "10.0.0.1", false},
      // Addresses.
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.11", false},
      {"10.0.0.1:6443", "10.0.0.1", true},
      {"10.0.0.1:443", "10.0.0.1", false},
      {"fd00::1", "fd00::1", true},
      {"fd00:0::1", "fd00::1", true},
      {"[fd00::1]:6443", "fd00::1", true},
      {"[fd00::1]:443", "fd00::1", false},
      {"[fd00::1]", "fd00::1", false},  // as Go: brackets without a port are no address
      {"::ffff:10.0.0.1", "10.0.0.1", true},
      // Networks.
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.96.0.7/12", "10.111.255.255", true},
      {"10.96.0.0/12", "10.112.0.0", false},
      {"0.0.0.0/0", "8.8.8.8", true},
      {"0.0.0.0/0", "fd00::1", false},
      {"::/0", "fd00::1", true},
      {"::/0", "10.0.0.1", false},
      {"fd00::/9", "fd7f::1", true},
      {"fd00::/9", "fd80::1", false},
      {"::ffff:10.0.0.0/104", "10.1.2.3", true},
      {"10.0.0.0/33", "10.0.0.1", false},
      {"10.0.0.0/", "10.0.0.1", false},
      {"10.0.0.0/-1", "10.0.0.1", false},
      {"10.0.0.0/8x", "10.0.0.1", false},
      {"10.0.0.0/8", "api.example.com", false},
  };
  for (const Row& row : rows) {
    INFO(row.no_proxy << " | " << row.host);
    CHECK(BypassesProxy(row.host, 6443, row.no_proxy) == row.direct);
  }
}

TEST_CASE("The environment names a proxy for https and one for http") {
  struct Row {
    std::map<std::string, std::string> variables;
    bool tls;
    const char* proxy;  // empty: none
  };
  const Row rows[] = {
      {{}, true, ""},
      {{{"HTTPS_PROXY", "http://p:1"}}, true, "http://p:1"},
      {{{"HTTPS_PROXY", "https://p"}}, true, "https://p:443"},
      {{{"HTTPS_PROXY", "p:1"}}, true, "http://p:1"},
      {{{"HTTPS_PROXY", "me:pw@p:1"}}, true, "http://p:1"},
      {{{"https_proxy", "p:1"}}, true, "http://p:1"},
      {{{"HTTPS_PROXY", "p:1"}, {"https_proxy", "q:1"}}, true, "http://p:1"},
      {{{"HTTPS_PROXY", ""}, {"https_proxy", "q:1"}}, true, "http://q:1"},
      {{{"HTTP_PROXY", "p:1"}}, true, ""},
      {{{"HTTP_PROXY", "p:1"}}, false, "http://p:1"},
      {{{"HTTPS_PROXY", "p:1"}}, false, ""},
      {{{"HTTPS_PROXY", "p:1"}, {"NO_PROXY", "api.test"}}, true, ""},
      {{{"HTTPS_PROXY", "p:1"}, {"no_proxy", "api.test:6443"}}, true, ""},
      {{{"HTTPS_PROXY", "p:1"}, {"no_proxy", "api.test:443"}}, true, "http://p:1"},
      {{{"HTTPS_PROXY", "socks5://p"}, {"no_proxy", "*"}}, true, ""},
      {{{"ALL_PROXY", "p:1"}}, true, ""},
  };
  for (const Row& row : rows) {
    INFO((row.variables.empty() ? "nothing" : row.variables.begin()->second));
    const auto proxy =
        ProxyFromEnvironment({row.tls, "api.test", 6443, ""}, Variables(row.variables));
    REQUIRE(proxy.ok());
    CHECK((*proxy ? NameOf(**proxy) : "") == row.proxy);
  }
  const auto refused = [](const char* name, const char* value, bool tls) {
    const auto proxy =
        ProxyFromEnvironment({tls, "api.test", 6443, ""}, Variables({{name, value}}));
    REQUIRE_FALSE(proxy.ok());
    return proxy.error().ToString();
  };
  CHECK_THAT(refused("HTTPS_PROXY", "socks5://u:secret@p", true),
             Catch::StartsWith("HTTPS_PROXY: 'socks5://...@p' is a SOCKS proxy"));
  CHECK_THAT(refused("https_proxy", "a b", true), Catch::StartsWith("https_proxy: 'http://a b'"));
  CHECK_THAT(refused("HTTP_PROXY", "https://p", false), Catch::StartsWith("HTTP_PROXY: "));
}

}  // namespace
}  // namespace shm::kube
