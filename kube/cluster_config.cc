#include "kube/cluster_config.h"

#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "kube/server_url.h"

namespace shm::kube {
namespace {

struct Unsupported {
  const char* field;
  const char* advice;
};

constexpr std::array kUnsupportedInUser = {
    Unsupported{"exec",
                "exec plugins are not run; put a token here instead, for example one of `kubectl "
                "create token`"},
    Unsupported{"auth-provider", "auth providers are not supported; put a token here instead"},
    Unsupported{"username", "passwords are not supported; use a token or a client certificate"},
    Unsupported{"password", "passwords are not supported; use a token or a client certificate"},
    Unsupported{"as", "impersonation is not supported"},
    Unsupported{"as-uid", "impersonation is not supported"},
    Unsupported{"as-groups", "impersonation is not supported"},
    Unsupported{"as-user-extra", "impersonation is not supported"},
};

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (stream.bad()) return std::nullopt;
  return text;
}

std::string Trimmed(std::string text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

std::optional<std::string> DecodeBase64(const std::string& text) {
  const std::unique_ptr<EVP_ENCODE_CTX, decltype(&EVP_ENCODE_CTX_free)> context(
      EVP_ENCODE_CTX_new(), &EVP_ENCODE_CTX_free);
  EVP_DecodeInit(context.get());
  std::string decoded(text.size() + 3, '\0');
  auto* out = reinterpret_cast<unsigned char*>(decoded.data());
  int length = 0;
  int tail = 0;
  if (EVP_DecodeUpdate(context.get(), out, &length,
                       reinterpret_cast<const unsigned char*>(text.data()),
                       static_cast<int>(text.size())) < 0 ||
      EVP_DecodeFinal(context.get(), out + length, &tail) != 1) {
    return std::nullopt;
  }
  decoded.resize(static_cast<std::size_t>(length + tail));
  return decoded;
}

// Reads one cluster and one user of a kubeconfig. The first error sticks.
class Reader {
 public:
  Reader(std::string directory, std::string where)
      : directory_(std::move(directory)), where_(std::move(where)) {}

  std::string Text(const YAML::Node& node, const char* field) {
    const YAML::Node value = node[field];
    if (!value || value.IsNull()) return {};
    if (!value.IsScalar()) {
      Fail(field, "must be text");
      return {};
    }
    return value.Scalar();
  }

  bool Flag(const YAML::Node& node, const char* field) {
    const std::string text = Text(node, field);
    return !text.empty() && text != "false" && text != "False";
  }

  // `field`-data in base64, else the file that `field` names. As kubectl: data wins.
  std::string Content(const YAML::Node& node, const std::string& field) {
    const std::string data_field = field + "-data";
    if (const std::string data = Text(node, data_field.c_str()); !data.empty()) {
      const auto decoded = DecodeBase64(data);
      if (!decoded) Fail(data_field, "is not base64");
      return decoded.value_or("");
    }
    const std::string file = Text(node, field.c_str());
    if (file.empty()) return {};
    const auto content = ReadFile(Resolve(file));
    if (!content) Fail(field, "the file " + Resolve(file) + " cannot be read");
    return content.value_or("");
  }

  std::string Resolve(const std::string& file) const {
    return file.empty() || file.front() == '/' ? file : directory_ + "/" + file;
  }

  void Fail(const std::string& field, const std::string& message) {
    if (!error_) error_ = Error{where_ + "." + field, message};
  }

  void SetWhere(std::string where) { where_ = std::move(where); }
  const std::optional<Error>& error() const { return error_; }

 private:
  const std::string directory_;
  std::string where_;
  std::optional<Error> error_;
};

// The entry called `name` of a kubeconfig's list, or an undefined node.
YAML::Node Entry(const YAML::Node& root, const char* list, const char* member,
                 const std::string& name) {
  const YAML::Node entries = root[list];
  if (entries && entries.IsSequence()) {
    for (const YAML::Node& entry : entries) {
      if (entry.IsMap() && entry["name"] && entry["name"].IsScalar() &&
          entry["name"].Scalar() == name && entry[member] && entry[member].IsMap()) {
        return entry[member];
      }
    }
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

void ReadCluster(const YAML::Node& cluster, Reader& reader, ClusterConfig& config) {
  if (reader.Flag(cluster, "insecure-skip-tls-verify")) {
    reader.Fail("insecure-skip-tls-verify",
                "is refused: it would hand our credentials to anybody; give certificate-authority");
  }
  const auto url = ParseServerUrl(reader.Text(cluster, "server"));
  if (!url.ok()) {
    reader.Fail(url.error().field, url.error().message);
    return;
  }
  config.tls = url->tls;
  config.host = url->host;
  config.port = url->port;
  config.base_path = url->base_path;
  if (const std::string text = reader.Text(cluster, "proxy-url"); !text.empty()) {
    const auto proxy = ParseProxyUrl(text, url->tls);
    if (proxy.ok()) {
      config.proxy = *proxy;
    } else {
      reader.Fail("proxy-url", proxy.error().message);
    }
  }
  config.tls_server_name = reader.Text(cluster, "tls-server-name");
  config.ca_pem = reader.Content(cluster, "certificate-authority");
  if (config.tls && config.ca_pem.empty()) {
    reader.Fail("certificate-authority",
                "is needed (or certificate-authority-data): the system's authorities are not used");
  }
}

void ReadUser(const YAML::Node& user, Reader& reader, ClusterConfig& config) {
  for (const Unsupported& unsupported : kUnsupportedInUser) {
    if (user[unsupported.field] && !user[unsupported.field].IsNull()) {
      reader.Fail(unsupported.field, unsupported.advice);
    }
  }
  config.client_cert_pem = reader.Content(user, "client-certificate");
  config.client_key_pem = reader.Content(user, "client-key");
  if (config.client_cert_pem.empty() != config.client_key_pem.empty()) {
    reader.Fail(config.client_key_pem.empty() ? "client-key" : "client-certificate",
                "is missing: certificate and key go together");
  }
  config.token = reader.Text(user, "token");
  config.token_file = reader.Resolve(reader.Text(user, "tokenFile"));
  if (!config.tls && (!config.token.empty() || !config.token_file.empty())) {
    reader.Fail("token", "is refused: the server's address is plain http://, which shows it");
  }
}

Result<ClusterConfig> ReadContext(const YAML::Node& root, const std::string& directory,
                                  const std::string& name) {
  const YAML::Node context = Entry(root, "contexts", "context", name);
  if (!context.IsDefined()) return Error{"contexts", "there is none called '" + name + "'"};
  ClusterConfig config;
  Reader reader(directory, "contexts[" + name + "].context");
  const std::string cluster_name = reader.Text(context, "cluster");
  const std::string user_name = reader.Text(context, "user");
  const std::string namespace_name = reader.Text(context, "namespace");
  if (!namespace_name.empty()) config.namespace_name = namespace_name;

  const YAML::Node cluster = Entry(root, "clusters", "cluster", cluster_name);
  if (!cluster.IsDefined()) {
    return Error{"clusters", "there is none called '" + cluster_name + "'"};
  }
  reader.SetWhere("clusters[" + cluster_name + "].cluster");
  ReadCluster(cluster, reader, config);

  const YAML::Node user = Entry(root, "users", "user", user_name);
  if (!user.IsDefined() && !user_name.empty()) {
    return Error{"users", "there is none called '" + user_name + "'"};
  }
  reader.SetWhere("users[" + user_name + "].user");
  if (user.IsDefined()) ReadUser(user, reader, config);
  if (reader.error()) return *reader.error();
  return config;
}

}  // namespace

Result<ClusterConfig> ParseKubeconfig(const std::string& text, const std::string& directory,
                                      const std::string& context) {
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) return Error{"", "is not a kubeconfig: no mapping at its top"};
    std::string name = context;
    if (name.empty() && root["current-context"] && root["current-context"].IsScalar()) {
      name = root["current-context"].Scalar();
    }
    if (name.empty()) return Error{"current-context", "is not set"};
    return ReadContext(root, directory, name);
  } catch (const YAML::Exception& error) {
    return Error{"", std::string("is not YAML: ") + error.what()};
  }
}

Result<ClusterConfig> LoadKubeconfig(const std::string& path, const std::string& context) {
  const auto text = ReadFile(path);
  if (!text) return Error{path, "cannot be read"};
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash);
  auto config = ParseKubeconfig(*text, directory, context);
  if (!config.ok()) {
    const Error& error = config.error();
    return Error{error.field.empty() ? path : path + ": " + error.field, error.message};
  }
  return config;
}

Result<ClusterConfig> LoadInCluster(const Environment& environment, const std::string& directory) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  const auto port = environment("KUBERNETES_SERVICE_PORT");
  if (!host || host->empty() || !port) {
    return Error{"KUBERNETES_SERVICE_HOST",
                 "is not set: this is no pod, and there is no ~/.kube/config; give --kubeconfig or "
                 "set KUBECONFIG"};
  }
  const bool ipv6 = host->find(':') != std::string::npos && host->front() != '[';
  const auto url = ParseServerUrl("https://" + (ipv6 ? "[" + *host + "]" : *host) + ":" + *port);
  if (!url.ok()) return Error{"KUBERNETES_SERVICE_HOST", url.error().message};
  ClusterConfig config;
  config.host = url->host;
  config.port = url->port;
  const auto ca = ReadFile(directory + "/ca.crt");
  if (!ca) return Error{directory + "/ca.crt", "cannot be read: is the service account mounted?"};
  config.ca_pem = *ca;
  config.token_file = directory + "/token";
  if (!ReadFile(config.token_file)) return Error{config.token_file, "cannot be read"};
  if (const auto space = ReadFile(directory + "/namespace"))
    config.namespace_name = Trimmed(*space);
  return config;
}

namespace {

Result<ClusterConfig> FindConfig(const std::string& path, const Environment& environment,
                                 const std::string& context) {
  if (!path.empty()) return LoadKubeconfig(path, context);
  if (const auto listed = environment("KUBECONFIG"); listed && !listed->empty()) {
    if (listed->find(':') != std::string::npos) {
      return Error{"KUBECONFIG", "names several files, which are not merged; name one"};
    }
    return LoadKubeconfig(*listed, context);
  }
  const bool in_pod = context.empty() && environment("KUBERNETES_SERVICE_HOST");
  if (in_pod) return LoadInCluster(environment);
  if (const auto home = environment("HOME")) {
    const std::string file = *home + "/.kube/config";
    if (ReadFile(file)) return LoadKubeconfig(file, context);
  }
  if (!context.empty()) {
    return Error{"context", "'" + context + "' is looked for in a kubeconfig, and there is none"};
  }
  return LoadInCluster(environment);
}

}  // namespace

Result<ClusterConfig> LoadClusterConfig(const std::string& path, const Environment& environment,
                                        const std::string& context) {
  auto config = FindConfig(path, environment, context);
  if (!config.ok() || config->proxy) return config;
  auto proxy = ProxyFromEnvironment({config->tls, config->host, config->port, {}}, environment);
  if (!proxy.ok()) return proxy.error();
  config->proxy = *proxy;
  return config;
}

}  // namespace shm::kube
