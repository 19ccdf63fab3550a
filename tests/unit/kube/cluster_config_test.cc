#include "kube/cluster_config.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "kube/server_url.h"
#include "kube/token_source.h"
#include "tests/unit/kube/fakes.h"

namespace shm::kube {
namespace {

// A directory that goes when the test ends.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "shm-kube.XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Environment Variables(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

std::string Config(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
         "contexts: [{name: one, context: {cluster: c, user: u, namespace: llm}},\n"
         "           {name: two, context: {cluster: gone, user: u}}]\n"
         "clusters: [{name: c, cluster: {" +
         cluster +
         "}}]\n"
         "users: [{name: u, user: {" +
         user + "}}]\n";
}
constexpr char kCluster[] = "server: 'https://host:6443', certificate-authority-data: Q0E=";

TEST_CASE("A kubeconfig with inline data") {
  const auto config = ParseKubeconfig(
      Config(std::string(kCluster) + ", tls-server-name: other",
             "client-certificate-data: Q0VSVA==, client-key-data: S0VZ, token: secret"),
      "/etc");
  REQUIRE(config.ok());
  CHECK(config->host == "host");
  CHECK(config->port == 6443);
  CHECK(config->ca_pem == "CA");
  CHECK(config->client_cert_pem == "CERT");
  CHECK(config->client_key_pem == "KEY");
  CHECK(config->token == "secret");
  CHECK(config->tls_server_name == "other");
  CHECK(config->namespace_name == "llm");
}

TEST_CASE("A kubeconfig with files, relative to itself") {
  const Directory directory;
  directory.Write("ca.crt", "CA");
  directory.Write("a.crt", "CERT");
  directory.Write("a.key", "KEY");
  const std::string path = directory.Write(
      "config", Config("server: 'https://host', certificate-authority: ca.crt",
                       "client-certificate: a.crt, client-key: a.key, tokenFile: token"));
  const auto config = LoadClusterConfig("", Variables({{"KUBECONFIG", path}}));
  REQUIRE(config.ok());
  CHECK(config->port == 443);
  CHECK(config->client_key_pem == "KEY");
  CHECK(config->token_file == directory.path() + "/token");
}

TEST_CASE("What cannot be honoured is refused by the name of its field") {
  struct Row {
    const char* cluster;
    const char* user;
    const char* field;
  };
  const Row rows[] = {
      {kCluster, "exec: {command: aws}", "users[u].user.exec"},
      {kCluster, "auth-provider: {name: gcp}", "users[u].user.auth-provider"},
      {kCluster, "username: a, password: b", "users[u].user.username"},
      {kCluster, "as: admin", "users[u].user.as"},
      {kCluster, "client-certificate-data: Q0VSVA==", "users[u].user.client-key"},
      {kCluster, "client-key-data: Q0VSVA==", "users[u].user.client-certificate"},
      {kCluster, "client-certificate-data: '!!'", "users[u].user.client-certificate-data"},
      {kCluster, "client-certificate: /nonexistent", "users[u].user.client-certificate"},
      {kCluster, "token: [a]", "users[u].user.token"},
      {"server: 'https://h', insecure-skip-tls-verify: true", "",
       "clusters[c].cluster.insecure-skip-tls-verify"},
      {"server: 'https://h', proxy-url: 'socks5://p', certificate-authority-data: Q0E=", "",
       "clusters[c].cluster.proxy-url"},
      {"server: 'http://h', proxy-url: 'https://p'", "", "clusters[c].cluster.proxy-url"},
      {"server: 'https://h'", "", "clusters[c].cluster.certificate-authority"},
      {"server: h", "", "clusters[c].cluster.server"},
      {"certificate-authority-data: Q0E=", "", "clusters[c].cluster.server"},
      {"server: 'http://h'", "token: x", "users[u].user.token"},
  };
  for (const Row& row : rows) {
    INFO(row.cluster << " | " << row.user);
    const auto config = ParseKubeconfig(Config(row.cluster, row.user), "/etc");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().field == row.field);
    CHECK_FALSE(config.error().message.empty());
  }
}

TEST_CASE("A kubeconfig that is not one, or lacks what it names, is refused") {
  for (const char* text :
       {"", "[", "a", "- 1", "current-context: x", "{a: *b}", "current-context: x\ncontexts: 7"}) {
    INFO(text);
    CHECK_FALSE(ParseKubeconfig(text, "/etc").ok());
  }
  const std::string text = Config(kCluster, "");
  CHECK(ParseKubeconfig(text, "/etc").ok());
  CHECK(ParseKubeconfig(text, "/etc", "two").error().message.find("'gone'") != std::string::npos);
  CHECK(ParseKubeconfig(text, "/etc", "three").error().field == "contexts");
  CHECK_FALSE(LoadKubeconfig("/nonexistent/config").ok());
  CHECK_FALSE(LoadClusterConfig("", Variables({{"KUBECONFIG", "/a:/b"}})).ok());
}

TEST_CASE("A proxy is the cluster's proxy-url, else the environment's, in a pod too") {
  const Directory directory;
  const std::string with = directory.Write(
      "with", Config(std::string(kCluster) + ", proxy-url: 'http://me:pw@mine:3128'", "token: t"));
  const std::string without = directory.Write("without", Config(kCluster, "token: t"));
  struct Row {
    const std::string* path;
    const char* https_proxy;
    const char* no_proxy;
    const char* proxy;  // empty: none
  };
  const Row rows[] = {
      {&with, "", "", "http://mine:3128"},
      {&with, "theirs:1", "*", "http://mine:3128"},  // as client-go: NO_PROXY is the environment's
      {&without, "", "", ""},
      {&without, "theirs:1", "", "http://theirs:1"},
      {&without, "theirs:1", "host", ""},
  };
  for (const Row& row : rows) {
    INFO(*row.path << " | " << row.https_proxy << " | " << row.no_proxy);
    const auto config = LoadClusterConfig(
        *row.path, Variables({{"HTTPS_PROXY", row.https_proxy}, {"NO_PROXY", row.no_proxy}}));
    REQUIRE(config.ok());
    CHECK((config->proxy ? NameOf(*config->proxy) : "") == row.proxy);
  }
  const auto socks = LoadClusterConfig(without, Variables({{"HTTPS_PROXY", "socks5://a:b@p"}}));
  REQUIRE_FALSE(socks.ok());
  CHECK_THAT(socks.error().ToString(),
             Catch::StartsWith("HTTPS_PROXY: 'socks5://...@p' is a SOCKS"));
}

TEST_CASE("A named context is one of a kubeconfig, wherever that is looked for") {
  const Directory directory;
  const std::string text = Config(kCluster, "token: t");
  const std::string path = directory.Write("config", text);
  std::filesystem::create_directory(directory.path() + "/.kube");
  directory.Write(".kube/config", text);
  const auto in_pod = [&](std::map<std::string, std::string> more) {
    more["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
    more["KUBERNETES_SERVICE_PORT"] = "443";
    return Variables(more);
  };
  for (const char* context : {"one", "absent"}) {
    INFO(context);
    const bool there = std::string(context) == "one";
    CHECK(LoadClusterConfig(path, in_pod({}), context).ok() == there);
    CHECK(LoadClusterConfig("", in_pod({{"KUBECONFIG", path}}), context).ok() == there);
    CHECK(LoadClusterConfig("", in_pod({{"HOME", directory.path()}}), context).ok() == there);
  }
  const auto nowhere = LoadClusterConfig("", in_pod({{"HOME", "/nonexistent"}}), "one");
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().field == "context");
}

TEST_CASE("Server addresses, IPv6 among them") {
  struct Row {
    const char* text;
    ServerUrl url;
  };
  const Row good[] = {
      {"https://Host", {true, "host", 443, ""}},
      {"https://10.0.0.1:6443/", {true, "10.0.0.1", 6443, ""}},
      {"https://[fd00::1]:6443", {true, "fd00::1", 6443, ""}},
      {"https://[::1]", {true, "::1", 443, ""}},
      {"http://localhost:8001", {false, "localhost", 8001, ""}},
      {"https://rancher.example/k8s/clusters/c-1//",
       {true, "rancher.example", 443, "/k8s/clusters/c-1"}},
  };
  for (const Row& row : good) {
    INFO(row.text);
    const auto url = ParseServerUrl(row.text);
    REQUIRE(url.ok());
    CHECK(*url == row.url);
  }
  for (const char* bad : {"", "host", "ftp://h", "https://", "https://:1", "https://h:",
                          "https://h:0", "https://h:65536", "https://h:1x", "https://a b",
                          "https://u@h", "https://h?x", "https://[::1", "https://[x]",
                          "https://::1:6443", "https://[fe80::1%eth0]", "https://[::1]6443"}) {
    INFO(bad);
    CHECK_FALSE(ParseServerUrl(bad).ok());
  }
}

TEST_CASE("In a pod the service account says who we are, over IPv4 or IPv6") {
  const Directory directory;
  directory.Write("ca.crt", "CA");
  directory.Write("namespace", "shm-system\n");
  const auto environment = [](const char* host) {
    return Variables({{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", "443"}});
  };
  CHECK_FALSE(LoadInCluster(environment("10.96.0.1"), directory.path()).ok());  // no token
  directory.Write("token", "t");
  for (const char* host : {"10.96.0.1", "fd00::1"}) {
    const auto config = LoadInCluster(environment(host), directory.path());
    REQUIRE(config.ok());
    CHECK(config->host == host);
    CHECK(config->ca_pem == "CA");
    CHECK(config->token_file == directory.path() + "/token");
    CHECK(config->namespace_name == "shm-system");
  }
  CHECK(LoadInCluster(Variables({}), directory.path()).error().field == "KUBERNETES_SERVICE_HOST");
}

TEST_CASE("W9: a rotated token is read within ten seconds, and at once after a refusal") {
  const Directory directory;
  const std::string file = directory.Write("token", "one\n");
  testing::FakeClock clock;
  TokenSource source("fixed", file, clock);
  CHECK(source.Get() == "one");
  directory.Write("token", "two");
  CHECK(source.Get() == "one");
  clock.Advance(std::chrono::seconds{10});
  CHECK(source.Get() == "two");
  directory.Write("token", "three");
  source.Invalidate();
  CHECK(source.Get() == "three");
  std::filesystem::remove(file);
  source.Invalidate();
  CHECK(source.Get() == "three");  // the last good one
  CHECK(TokenSource("fixed", "", clock).Get() == "fixed");
}

}  // namespace
}  // namespace shm::kube
