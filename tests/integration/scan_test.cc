// `shmctl scan` as a person runs it, against pods of the real API server: as a user who may get and
// list, and nothing else.
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/integration/installation.h"

namespace shm::test {
namespace {

using nlohmann::json;

constexpr const char* kReader = "shmctl-reader";

json Rules(const std::vector<const char*>& core_resources, bool services) {
  json rules = json::array(
      {{{"apiGroups", {""}}, {"resources", core_resources}, {"verbs", {"get", "list"}}}});
  if (services) {
    rules.push_back({{"apiGroups", {"shm-operator.dev"}},
                     {"resources", {"inferenceservices"}},
                     {"verbs", {"get", "list"}}});
  }
  return rules;
}

void Apply(const json& object) { Cluster().Must("apply -f -", object.dump()); }

// A role of these rules in the namespace, or in all, bound to the reader of that namespace.
void Grant(const std::string& ns, const std::string& kind, const json& rules) {
  const std::string name = ns + "-" + kReader;
  const json role = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", name}};
  json metadata = {{"name", name}};
  if (kind == "Role") metadata["namespace"] = ns;
  Apply({{"apiVersion", "rbac.authorization.k8s.io/v1"},
         {"kind", kind},
         {"metadata", metadata},
         {"rules", rules}});
  Apply({{"apiVersion", "rbac.authorization.k8s.io/v1"},
         {"kind", kind + "Binding"},
         {"metadata", metadata},
         {"roleRef", role},
         {"subjects",
          json::array({{{"kind", "ServiceAccount"}, {"name", kReader}, {"namespace", ns}}})}});
}

// A kubeconfig whose user is the service account `kReader` of a namespace; its context's namespace
// is that one.
class Reader {
 public:
  Reader(const std::string& ns, const std::string& role_kind, const json& rules) {
    Cluster().Must("-n " + ns + " create serviceaccount " + kReader);
    Grant(ns, role_kind, rules);
    std::string token = Cluster().Must("-n " + ns + " create token " + kReader);
    token.erase(token.find_last_not_of('\n') + 1);
    json config = json::parse(Cluster().Must("config view --raw --minify -o json"));
    config["users"][0]["user"] = {{"token", token}};
    config["contexts"][0]["context"]["namespace"] = ns;
    std::ofstream(path()) << config.dump();
  }

  std::string path() const { return dir_.path() + "/kubeconfig"; }
  ShellResult Scan(const std::string& arguments) const {
    return Shell(SHM_BINARY_DIR "/bin/shmctl scan --kubeconfig " + path() + " " + arguments);
  }
  json ScanJson(const std::string& arguments) const {
    return json::parse(Scan(arguments + " --output json 2>/dev/null").output);
  }

 private:
  TempDir dir_;
};

json Pod(const std::string& name, const json& args, json spec = json::object()) {
  const json container = {{"name", "vllm"},
                          {"image", "vllm/vllm-openai"},
                          {"args", args},
                          {"resources", {{"limits", {{"nvidia.com/gpu", "2"}}}}}};
  spec["containers"] = json::array({container});
  return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", name}}}, {"spec", spec}};
}

void Create(const std::string& ns, const json& object) {
  Cluster().Must("-n " + ns + " create -f -", object.dump());
}

const json kTp2 = {"--model", "m", "--tensor-parallel-size=2"};

// Three pods: one without a volume, one that the webhook sized, one of hostIPC.
void CreatePods(const std::string& ns) {
  Create(ns, {{"apiVersion", "shm-operator.dev/v1alpha1"},
              {"kind", "InferenceService"},
              {"metadata", {{"name", "tp2"}}},
              {"spec",
               {{"tensorParallelSize", 2}, {"selector", {{"matchLabels", {{"app", "none"}}}}}}}});
  Create(ns, Pod("plain", kTp2));
  json sized = Pod("sized", kTp2);
  sized["metadata"]["labels"]["shm-operator.dev/service"] = "tp2";
  Create(ns, sized);
  Create(ns, Pod("host-ipc", kTp2, {{"hostIPC", true}}));
}

}  // namespace

TEST_CASE(
    "scan tells a reader which pod has too little, which was sized, and which is left alone") {
  Installation::Get();
  const std::string ns = NewNamespace("scan");
  const Reader reader(ns, "ClusterRole", Rules({"pods", "namespaces"}, true));
  CreatePods(ns);
  const json report = reader.ScanJson("");
  INFO(report.dump(2));
  REQUIRE(report["pods"].size() == 3);
  const json& plain = report["pods"][0];
  CHECK(plain["pod"] == "plain");
  CHECK(plain["namespace"] == ns);
  CHECK(plain["verdict"] == "TooSmall");
  CHECK(plain["belowNeed"] == true);
  CHECK(plain["engine"] == "vLLM");
  CHECK(plain["tensorParallelSize"] == 2);
  CHECK(plain["sharedMemoryBytes"] == 64 << 20);
  CHECK(plain["wouldGetBytes"] == 2ll << 30);
  CHECK(plain["covered"] == false);
  const json& host_ipc = report["pods"][1];
  CHECK(host_ipc["pod"] == "host-ipc");
  CHECK(host_ipc["verdict"] == "NotOurs");
  CHECK(host_ipc["sharedMemorySource"] == "HostIpc");
  const json& sized = report["pods"][2];
  CHECK(sized["pod"] == "sized");
  CHECK(sized["verdict"] == "Enough");
  CHECK(sized["outcome"] == "Unchanged");
  CHECK(sized["injected"] == true);
  CHECK(sized["service"] == "tp2");
  CHECK(sized["sharedMemoryBytes"] == 2ll << 30);
  CHECK(report["summary"]["tooSmall"] == 1);
}

TEST_CASE("scan writes a table, what to do about it, and the exit code of a finding") {
  Installation::Get();
  const std::string ns = NewNamespace("scan-table");
  const Reader reader(ns, "ClusterRole", Rules({"pods", "namespaces"}, true));
  const ShellResult empty = reader.Scan("");
  CHECK(empty.exit_code == 0);
  CHECK_THAT(empty.output, Catch::StartsWith("NAMESPACE   POD"));
  CreatePods(ns);
  const ShellResult found = reader.Scan("");
  INFO(found.output);
  CHECK(found.exit_code == 1);
  CHECK_THAT(found.output, Catch::Contains("\n" + ns + "   plain "));
  CHECK_THAT(found.output, Catch::Contains("3 pods scanned, 3 with GPUs, 1 with less"));
  CHECK_THAT(found.output, Catch::Contains("kubectl label namespace " + ns +
                                           " shm-operator.dev/injection=enabled"));
  // What the advice leads to.
  Cluster().Must("label namespace " + ns + " shm-operator.dev/injection=enabled");
  Cluster().Must("-n " + ns + " delete pod plain --force --grace-period=0 2>/dev/null");
  Create(ns, Pod("plain", kTp2));
  const ShellResult cured = reader.Scan("");
  INFO(cured.output);
  CHECK(cured.exit_code == 0);
}

TEST_CASE("scan of kubectl's own output says the same as scan of the cluster") {
  Installation::Get();
  const std::string ns = NewNamespace("scan-file");
  const Reader reader(ns, "ClusterRole", Rules({"pods", "namespaces"}, true));
  CreatePods(ns);
  const std::string kubectl = "kubectl --kubeconfig " + reader.path() + " -n " + ns +
                              " get pods,namespaces,inferenceservices.shm-operator.dev -o json";
  const json piped = json::parse(
      Shell(kubectl + " | " SHM_BINARY_DIR "/bin/shmctl scan -f - --output json 2>/dev/null")
          .output);
  CHECK(piped == reader.ScanJson(""));
  CHECK(piped["pods"].size() == 3);
}

TEST_CASE("scan reads more pods than one page holds, of all namespaces") {
  Installation::Get();
  const std::string ns = NewNamespace("scan-pages");
  const Reader reader(ns, "ClusterRole", Rules({"pods", "namespaces"}, true));
  constexpr int kMany = 520;  // a page has 500
  json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", json::array()}};
  for (int i = 0; i < kMany; ++i) list["items"].push_back(Pod("p" + std::to_string(i), kTp2));
  Create(ns, list);
  std::size_t here = 0;
  const json report = reader.ScanJson("-A");
  for (const json& pod : report["pods"]) here += pod["namespace"] == ns ? 1 : 0;
  CHECK(here == kMany);
}

TEST_CASE("scan by one who may list pods of one namespace says what it does not know") {
  Installation::Get();
  const std::string ns = NewNamespace("scan-pods");
  const Reader reader(ns, "Role", Rules({"pods"}, false));
  CreatePods(ns);
  const ShellResult found = reader.Scan("");
  INFO(found.output);
  CHECK(found.exit_code == 1);
  CHECK_THAT(found.output, Catch::Contains("warning: inferenceservices.shm-operator.dev: "));
  CHECK_THAT(found.output, Catch::Contains("warning: namespaces: "));
  CHECK(reader.ScanJson("")["pods"].size() == 3);
  const ShellResult all = reader.Scan("-A");
  INFO(all.output);
  CHECK(all.exit_code == 2);
  CHECK_THAT(all.output, Catch::Contains("pods: Forbidden (403)"));
  CHECK_THAT(all.output, Catch::Contains("with -n"));
}

TEST_CASE("scan that finds no server or no namespace ends with 2 and names it") {
  Installation::Get();
  const std::string ns = NewNamespace("scan-errors");
  const Reader reader(ns, "ClusterRole", Rules({"pods", "namespaces"}, true));
  const ShellResult absent = reader.Scan("-n " + ns + "-absent");
  CHECK(absent.exit_code == 2);
  CHECK_THAT(absent.output, Catch::Contains("\"" + ns + "-absent\" not found"));
  const std::string server = "https://127.0.0.1:" + std::to_string(FreePort());
  Shell("kubectl --kubeconfig " + reader.path() + " config set-cluster $(kubectl --kubeconfig " +
        reader.path() + " config view -o 'jsonpath={.clusters[0].name}') --server " + server);
  const ShellResult unreachable = reader.Scan("");
  INFO(unreachable.output);
  CHECK(unreachable.exit_code == 2);
  CHECK_THAT(unreachable.output, Catch::Contains("shmctl: " + server + ": "));
}

}  // namespace shm::test
