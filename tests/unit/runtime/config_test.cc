#include "runtime/config.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>

#include "runtime/settings.h"

namespace shm::runtime {
namespace {

using Variables = std::map<std::string, std::string>;

Environment From(Variables variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::string Unique() {
  char path[] = "/tmp/shm-config-XXXXXX";
  ::close(::mkstemp(path));
  return path;
}

// A file that lives as long as its test.
struct File {
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  ~File() { std::remove(path.c_str()); }
  const std::string path = Unique();
};

TEST_CASE("Without anything the defaults hold") {
  const WebhookConfig webhook = *ReadWebhookConfig({}, From({}));
  CHECK(webhook.help.empty());
  CHECK(webhook.port == 8443);
  CHECK(webhook.health_port == 8080);
  CHECK(webhook.listen_address == "[::]");
  CHECK(webhook.tls_secret == "shm-operator-webhook-tls");
  CHECK(webhook.sizing.size_per_gpu == 1LL << 30);
  CHECK_FALSE(webhook.sizing.max_size.has_value());
  CHECK_FALSE(webhook.sizing.audit);
  CHECK_FALSE(webhook.count_resource_claims);
  CHECK(webhook.gpu_device_classes == KnownGpuClasses());
  const OperatorConfig config = *ReadOperatorConfig({}, From({}));
  CHECK(config.lease == "shm-operator");
  CHECK(config.certificates.mode == CertificateMode::kSelf);
  CHECK(config.certificates.authority_lifetime == 365LL * 24 * 3600);
  CHECK(config.certificates.leaf_lifetime == 90LL * 24 * 3600);
  CHECK(config.certificates.propagation == 30);
  CHECK(config.certificates.overlap == 600);
}

TEST_CASE("A setting has one spelling in each place") {
  CHECK(YamlKey("size-per-gpu") == "sizePerGPU");
  CHECK(YamlKey("health-port") == "healthPort");
  CHECK(EnvironmentName("size-per-gpu") == "SHM_OPERATOR_SIZE_PER_GPU");
}

TEST_CASE("Flags win over the environment, which wins over the file") {
  const File file("sizePerGPU: 2Gi\nhealthPort: 1\nport: 10\naudit: true\nmaxSize:\n");
  const Environment environment = From({{"SHM_OPERATOR_CONFIG", file.path},
                                        {"SHM_OPERATOR_HEALTH_PORT", "2"},
                                        {"SHM_OPERATOR_PORT", "20"}});
  const WebhookConfig config = *ReadWebhookConfig({"--port", "30"}, environment);
  CHECK(config.sizing.size_per_gpu == 2LL << 30);
  CHECK(config.sizing.audit);
  CHECK_FALSE(config.sizing.max_size.has_value());
  CHECK(config.health_port == 2);
  CHECK(config.port == 30);
}

TEST_CASE("A list is written with commas, in each of the places") {
  const std::vector<std::string> both = {"gpu.example.com", "mig.example.com"};
  const File file("countResourceClaims: true\ngpuDeviceClasses: gpu.example.com,mig.example.com\n");
  const WebhookConfig from_file = *ReadWebhookConfig({"--config", file.path}, From({}));
  CHECK(from_file.count_resource_claims);
  CHECK(from_file.gpu_device_classes == both);
  CHECK(ReadWebhookConfig({"--gpu-device-classes=gpu.example.com,mig.example.com"}, From({}))
            ->gpu_device_classes == both);
  const File sequence("gpuDeviceClasses: [gpu.example.com, mig.example.com]\n");
  CHECK(ReadWebhookConfig({"--config", sequence.path}, From({}))->gpu_device_classes == both);
  CHECK(ReadWebhookConfig({}, From({{"SHM_OPERATOR_GPU_DEVICE_CLASSES", "one"}}))
            ->gpu_device_classes == std::vector<std::string>{"one"});
}

TEST_CASE("Both programs take the namespaces to watch; none means all") {
  const std::vector<std::string> both = {"llm", "team-1"};
  CHECK(ReadWebhookConfig({}, From({}))->watch_namespaces.empty());
  for (const char* text : {"watchNamespaces: llm,team-1", "watchNamespaces: [llm, team-1]",
                           "watchNamespaces:\n  - llm\n  - 'team-1'\n"}) {
    CAPTURE(text);
    const File file(text);
    CHECK(ReadWebhookConfig({"--config", file.path}, From({}))->watch_namespaces == both);
    CHECK(ReadOperatorConfig({"--config", file.path}, From({}))->watch_namespaces == both);
    // A stronger place may open it again.
    const Environment all = From({{"SHM_OPERATOR_WATCH_NAMESPACES", ""}});
    CHECK(ReadOperatorConfig({"--config", file.path}, all)->watch_namespaces.empty());
  }
  const Environment environment = From({{"SHM_OPERATOR_WATCH_NAMESPACES", "llm,team-1"}});
  CHECK(ReadOperatorConfig({}, environment)->watch_namespaces == both);
  for (const char* text : {"watchNamespaces: []", "watchNamespaces: ''", "watchNamespaces:"}) {
    CAPTURE(text);
    const File file(text);
    CHECK(ReadOperatorConfig({"--config", file.path}, From({}))->watch_namespaces.empty());
  }
}

TEST_CASE("The own namespace is not watched") {
  OperatorConfig config;
  CHECK(CheckWatchNamespaces(config, "shm-system").ok());
  config.watch_namespaces = {"llm"};
  CHECK(CheckWatchNamespaces(config, "shm-system").ok());
  config.watch_namespaces = {"llm", "shm-system"};
  CHECK_THAT(CheckWatchNamespaces(config, "shm-system").error().ToString(),
             Catch::Contains("watchNamespaces") && Catch::Contains("\"shm-system\""));
}

TEST_CASE("The times of certificates come from each of the places, in seconds") {
  const File file("caLifetime: 7200\nleafLifetime: 3600\ncaPropagation: 60\n");
  const Environment environment = From({{"SHM_OPERATOR_LEAF_LIFETIME", "1800"}});
  const OperatorConfig config =
      *ReadOperatorConfig({"--config", file.path, "--ca-overlap=5"}, environment);
  CHECK(config.certificates.authority_lifetime == 7200);
  CHECK(config.certificates.leaf_lifetime == 1800);
  CHECK(config.certificates.propagation == 60);
  CHECK(config.certificates.overlap == 5);
}

TEST_CASE("Times of certificates that a rotation could not keep to are refused") {
  struct Row {
    std::vector<std::string> flags;
    const char* said;
  };
  const Row rows[] = {
      {{"--ca-lifetime=3599"}, "--ca-lifetime: \"3599\" is not a number from 3600 to 630720000"},
      {{"--ca-lifetime=8760h"}, "--ca-lifetime: \"8760h\" is not a number"},
      {{"--leaf-lifetime=599"}, "--leaf-lifetime: \"599\" is not a number from 600 to 630720000"},
      {{"--ca-propagation=0"}, "--ca-propagation: \"0\" is not a number from 1 to 3600"},
      {{"--ca-overlap=-1"}, "--ca-overlap: \"-1\" is not a number from 1 to 31536000"},
      {{"--ca-lifetime=3600"}, "leaf-lifetime: 7776000 s is longer than ca-lifetime, 3600 s"},
      {{"--leaf-lifetime=1800"},
       "leaf-lifetime: ca-propagation and ca-overlap, together 630 s, are longer than a third of "
       "it, 600 s"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.flags);
    const Result<OperatorConfig> config = ReadOperatorConfig(row.flags, From({}));
    REQUIRE_FALSE(config.ok());
    CHECK_THAT(config.error().ToString(), Catch::Contains(row.said));
  }
  CHECK(ReadOperatorConfig({"--leaf-lifetime=1890"}, From({})).ok());
}

std::string Many(std::size_t count) {
  std::string text = "n0";
  for (std::size_t i = 1; i < count; ++i) text += ",n" + std::to_string(i);
  return text;
}

TEST_CASE("As many namespaces as the watches of each allow") {
  const auto at_most =
      ReadOperatorConfig({"--watch-namespaces", Many(kMaxWatchNamespaces)}, From({}));
  REQUIRE(at_most.ok());
  CHECK(at_most->watch_namespaces.size() == kMaxWatchNamespaces);
  const auto more =
      ReadOperatorConfig({"--watch-namespaces", Many(kMaxWatchNamespaces + 1)}, From({}));
  REQUIRE_FALSE(more.ok());
  CHECK_THAT(more.error().ToString(), Catch::Contains("are more than"));
}

TEST_CASE("What Kubernetes puts into the environment for a Service is not taken for a setting") {
  const Environment environment = From({{"SHM_OPERATOR_PORT", "tcp://10.96.0.7:443"}});
  CHECK(ReadWebhookConfig({}, environment)->port == 8443);
}

TEST_CASE("Every fault is reported, with the place and the key") {
  struct Row {
    const char* file;
    Variables environment;
    std::vector<std::string> flags;
    std::vector<std::string> said;
  };
  const Row rows[] = {
      {"sizePerGpu: 2Gi", {}, {}, {"sizePerGpu: there is no such setting"}},
      {"port: 70000\nsizePerGPU: much\naudit: maybe",
       {{"SHM_OPERATOR_LOG_LEVEL", "loud"}},
       {"--health-port", "-1"},
       {": port: \"70000\" is not a number from 0 to 65535", ": sizePerGPU: ", ": audit: \"maybe\"",
        "SHM_OPERATOR_LOG_LEVEL: \"loud\" is not one of debug, info, warn, error",
        "--health-port: \"-1\""}},
      {"sizePerGPU: 0", {}, {}, {"sizePerGPU: \"0\" is not above 0"}},
      {"memoryHeadroom: -1Gi", {}, {}, {"memoryHeadroom: "}},
      {"memoryLimitPolicy: raise", {}, {}, {"\"raise\" is not one of Warn, Raise, Reject"}},
      {"port: [1]", {}, {}, {"port: takes a single value"}},
      {"port: 1\nport: 2", {}, {}, {"port: is there twice"}},
      {"- port", {}, {}, {"is not a mapping"}},
      {"a: [", {}, {}, {"cannot be read"}},
      {"tlsSecret: ''", {}, {}, {"tlsSecret: \"\" is not a name"}},
      {"gpuDeviceClasses: ''", {}, {}, {"gpuDeviceClasses: \"\" is not a list of names"}},
      {"", {}, {"--gpu-device-classes=a,"}, {"\"a,\" is not a list of names"}},
      {"", {}, {"--gpu-device-classes=a, b"}, {"\"a, b\" is not a list of names"}},
      {"watchNamespaces: [a, [b]]", {}, {}, {"watchNamespaces: takes a single value"}},
      {"watchNamespaces: [a, a]", {}, {}, {"watchNamespaces: \"a\" is there twice"}},
      {"watchNamespaces: [kube-system]", {}, {}, {"pods of kube-system are never sized"}},
      {"watchNamespaces: [a.b]", {}, {}, {"\"a.b\" is not the name of a namespace"}},
      {"watchNamespaces: [Team]", {}, {}, {"\"Team\" is not the name of a namespace"}},
      {"", {}, {"--watch-namespaces=a,"}, {"\"\" is not the name of a namespace"}},
      {"", {}, {"--watch-namespaces=-a"}, {"\"-a\" is not the name of a namespace"}},
      {"", {}, {"--prot", "1"}, {"--prot"}},
      {"", {}, {"--port"}, {"--port"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file);
    const File file(row.file);
    std::vector<std::string> arguments = {"--config", file.path};
    arguments.insert(arguments.end(), row.flags.begin(), row.flags.end());
    const Result<WebhookConfig> config = ReadWebhookConfig(arguments, From(row.environment));
    REQUIRE_FALSE(config.ok());
    for (const std::string& said : row.said) {
      CHECK_THAT(config.error().ToString(), Catch::Contains(said));
    }
  }
  CHECK_THAT(ReadWebhookConfig({"--config", "/nowhere.yaml"}, From({})).error().ToString(),
             Catch::Contains("/nowhere.yaml"));
}

TEST_CASE("Help names every setting, and the version is the program's") {
  const std::string help = ReadOperatorConfig({"--help"}, From({}))->help;
  for (const char* flag :
       {"--config", "--size-per-gpu", "--certificate-mode", "--ca-secret", "--ca-overlap"}) {
    CHECK_THAT(help, Catch::Contains(flag));
  }
  CHECK(ReadWebhookConfig({"--version"}, From({}))->help == "shm-webhook " SHM_VERSION "\n");
}

}  // namespace
}  // namespace shm::runtime
