#include "tests/unit/cli/render_run.h"

namespace shm::cli::render_test {

TEST_CASE("Documents that do not change pass byte for byte, beside ones that do") {
  const std::string before =
      std::string("\xEF\xBB\xBF# first\n---\n") + kConfigMap + "--- # pod\n# its head\n";
  const std::string after =
      std::string("---\r\n# crlf\r\na: 1\r\n---\n\n---\n") + kConfigMap + "...\n";
  const Rendered rendered = Render(before + Pod("p") + after);
  CHECK(rendered.code == 0);
  CHECK(rendered.out.starts_with(before));
  CHECK(rendered.out.ends_with(after));
  CHECK(SizesIn(rendered.out) == Sizes{"2Gi"});
  CHECK(Has(rendered.err, "Pod default/p: /dev/shm 2Gi: "));
  const Rendered again = Render(rendered.out);
  CHECK(again.out == rendered.out);
}

TEST_CASE("What holds no pod passes byte for byte, whatever it looks like") {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("# only a comment"),
        std::string("---\n---\n"), std::string(kConfigMap), std::string("a: 1\r\n---\r\nb: 2"),
        std::string("{\"a\": 1}{\"b\":2}\n"), std::string("{\"a\":\n 1}\n\n{\"b\":2}"),
        std::string("{a: b, c: '}'}\n"), std::string("a: &x {b: c}\nd: *x\ne: {<<: *x}\n"),
        std::string("%YAML 1.1\n---\na: 1\n...\n"),
        std::string(
            "apiVersion: example.com/v1\nkind: Odd\nspec: {template: {spec: {containers: 3}}}\n"),
        std::string("apiVersion: v1\nkind: List\nitems: []\n"),
        std::string("apiVersion: v1\nkind: List\n")}) {
    const Rendered rendered = Render(text);
    INFO(text << rendered.err);
    CHECK(rendered.code == 0);
    CHECK(rendered.out == text);
    CHECK(rendered.err.empty());
  }
}

TEST_CASE("A document is written in the format it came in, with its line ends") {
  const std::string json =
      R"({"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":1}}}]}})";
  const std::string lines = json + "\n{\"kind\":\"ConfigMap\"}\n" + json + "\n";
  const Rendered one_a_line = Render(lines);
  CHECK(std::count(one_a_line.out.begin(), one_a_line.out.end(), '\n') == 3);
  CHECK(SizesIn(one_a_line.out) == Sizes{"1Gi", "1Gi"});

  const Rendered indented = Render(Json::parse(json).dump(4));
  CHECK(indented.out.starts_with("{\n  \"apiVersion\""));

  std::string windows = Pod("p");
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2) {
    windows.replace(at, 1, "\r\n");
  }
  const std::string out = Render("# head\r\n" + windows).out;
  CHECK(SizesIn(out) == Sizes{"2Gi"});
  CHECK(std::count(out.begin(), out.end(), '\n') == std::count(out.begin(), out.end(), '\r'));
}

TEST_CASE("The output's format may be chosen, and then holds for every document") {
  const std::string input = Pod("p") + "---\n# nothing\n---\n{\"kind\": \"ConfigMap\"}\n";
  const std::vector<Document> json = Documents(Render(input, {"-o", "json"}).out);
  REQUIRE(json.size() == 2);
  CHECK(json[0].format == manifest::Format::kJson);
  CHECK(json[1].value == Json({{"kind", "ConfigMap"}}));
  const std::string yaml = Render(input, {"-o", "yaml"}).out;
  CHECK(Has(yaml, "---\nkind: ConfigMap\n"));
  CHECK(SizesIn(yaml) == Sizes{"2Gi"});
}

TEST_CASE("Pods are found in lists, in lists of lists, and in every place of a document") {
  const std::string list =
      R"({"apiVersion":"v1","kind":"List","items":[
          {"apiVersion":"v1","kind":"ConfigMap"},
          {"apiVersion":"v1","kind":"List","items":[
            {"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"n"},"spec":{"jobTemplate":
              {"spec":{"template":{"spec":{"containers":[{"name":"c","resources":{"limits":
                {"nvidia.com/gpu":4}}}]}}}}}}]},
          {"apiVersion":"leaderworkerset.x-k8s.io/v1","kind":"LeaderWorkerSet","spec":{
            "leaderWorkerTemplate":{"size":2,"leaderTemplate":{"spec":{"containers":[{"name":"c",
              "resources":{"limits":{"nvidia.com/gpu":1}}}]}},"workerTemplate":{"spec":{
              "containers":[{"name":"c","resources":{"limits":{"nvidia.com/gpu":2}}}]}}}}}]})";
  const Rendered rendered = Render(list);
  CHECK(rendered.code == 0);
  CHECK(SizesIn(rendered.out) == Sizes{"4Gi", "1Gi", "2Gi"});
  CHECK(Has(rendered.err, "CronJob default/n, spec.jobTemplate.spec.template: /dev/shm 4Gi"));
}

TEST_CASE("A kind whose template path is declared is rendered, others of it pass") {
  const std::string engine =
      "apiVersion: example.com/v1\nkind: Engine\nspec:\n  pools:\n  - template:\n      spec:\n"
      "        containers: [{name: c, resources: {limits: {nvidia.com/gpu: 2}}}]\n  - {}\n";
  CHECK(Render(engine).out == engine);
  const Words flags = {"--template-path", "example.com/Engine=spec.pools[].template"};
  CHECK(SizesIn(Render(engine, flags).out) == Sizes{"2Gi"});
  const Rendered bad = Render(engine, {"--template-path", "Engine"});
  CHECK(bad.code == 2);
  CHECK(bad.out.empty());
  CHECK(Has(bad.err, "--template-path: \"Engine\""));
}

TEST_CASE("A declared place inside of another one is rendered as well") {
  const std::string nested =
      "apiVersion: example.com/v1\nkind: Engine\nspec:\n  spec:\n    containers: [{name: c, "
      "resources: "
      "{limits: {nvidia.com/gpu: 2}}}]\n    inner:\n      spec:\n        containers: [{name: c, "
      "resources: {limits: {nvidia.com/gpu: 1}}}]\n";
  const Rendered rendered =
      Render(nested, {"--template-path", "example.com/Engine=spec", "--template-path",
                      "example.com/Engine=spec.spec.inner", "-o", "json"});
  INFO(rendered.err);
  CHECK(rendered.code == 0);
  std::vector<std::string> sizes = SizesIn(rendered.out);
  std::sort(sizes.begin(), sizes.end());
  CHECK(sizes == Sizes{"1Gi", "2Gi"});
}

TEST_CASE("A pod that would be refused passes as it is, is told of, and ends with 1") {
  const std::string unknown = Pod("p", "default", "{shm-operator.dev/service: nobody}");
  const std::string small = Service("100Gi") + "---\n" + Pod("q");
  const std::vector<std::pair<std::string, Words>> cases = {
      {unknown, {}}, {small, {"--memory-limit-policy", "Reject"}}};
  for (const auto& [input, flags] : cases) {
    const Rendered rendered = Render(input, flags);
    INFO(rendered.err);
    CHECK(rendered.code == 1);
    CHECK(rendered.out == input);
    CHECK(Has(rendered.err, "refused: Pod default/"));
  }
}

TEST_CASE("An audit says what would be done, and changes nothing") {
  const Rendered rendered = Render(Pod("p"), {"--audit"});
  CHECK(rendered.code == 0);
  CHECK(rendered.out == Pod("p"));
  CHECK(Has(rendered.err, "warning: Pod default/p: "));
}

TEST_CASE("The installation's flags do what its configuration would") {
  CHECK(SizesIn(Render(Pod("p"), {"--size-per-gpu", "3Gi"}).out) == Sizes{"6Gi"});
  CHECK(SizesIn(Render(Pod("p"), {"--max-size", "1Gi"}).out) == Sizes{"1Gi"});
  for (const Words& bad :
       {Words{"--size-per-gpu", "0"}, Words{"--max-size", "x"}, Words{"--memory-headroom", "-1"},
        Words{"--memory-limit-policy", "warn"}, Words{"-o", "xml"}}) {
    const Rendered rendered = Render(Pod("p"), bad);
    INFO(rendered.err);
    CHECK(rendered.code == 2);
    CHECK(rendered.out.empty());
  }
}

TEST_CASE("Kinds whose pods stand in no template are told of") {
  const Rendered rendered = Render(
      "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: k}\n");
  CHECK(rendered.code == 0);
  CHECK(Has(rendered.err, "note: InferenceService default/k: its controller"));
}

TEST_CASE("The published manifests change as docs/published-manifests.md says, and only once") {
  const std::vector<std::pair<std::string, Sizes>> files = {
      {"aibrix-rayclusterfleet", {"1Gi", "1Gi"}},
      {"benchmark-cronjob", {"4Gi", "8Gi"}},
      {"kuberay-rayservice", {"8Gi"}},
      {"lws-vllm", {"16992Mi", "14912Mi"}},
      {"production-stack-deployment", {"4Gi"}},
  };
  for (const auto& [name, sizes] : files) {
    const Sizes ours = SizesIn(Render(Contents(SHM_TEST_DATA "/manifests/" + name + ".yaml")).out);
    INFO(name);
    for (const std::string& size : sizes) CHECK(std::count(ours.begin(), ours.end(), size) >= 1);
  }
  const Words untouched = {"dynamo-v1alpha1", "kserve-llmisvc", "kserve-multinode", "nim-service",
                           "ome-servingruntime"};
  for (const auto& entry : fs::directory_iterator(SHM_TEST_DATA "/manifests")) {
    const std::string name = entry.path().stem();
    const std::string text = Contents(entry.path());
    const Rendered rendered = Render("", {"-f", entry.path()});
    INFO(name << "\n" << rendered.err);
    CHECK(rendered.code == 0);
    const bool same = std::find(untouched.begin(), untouched.end(), name) != untouched.end();
    CHECK((rendered.out == text) == same);
    CHECK(Has(rendered.err, "note: ") == same);
    CHECK(Render(rendered.out).out == rendered.out);

    const std::vector<Document> before = Documents(text);
    const std::vector<Document> after = Documents(rendered.out);
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].value == after[i].value) CHECK(before[i].text == after[i].text);
    }
  }
}

TEST_CASE("Items of a typed list need not say what they are") {
  const Rendered rendered = Render(
      "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n"
      "  spec: {containers: [{name: c, resources: {limits: {nvidia.com/gpu: 2}}}]}\n");
  CHECK(rendered.code == 0);
  CHECK(Has(rendered.out, "sizeLimit: 2Gi"));
  CHECK(Has(rendered.err, "Pod default/a: /dev/shm 2Gi"));
}

TEST_CASE("Numbers out of range end with 2 and name the line and the field") {
  const Rendered rendered = Render(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c\n"
      "    resources:\n      limits:\n        nvidia.com/gpu: 99999999999999999999\n");
  CHECK(rendered.code == 2);
  CHECK(rendered.out.empty());
  CHECK(Has(rendered.err, "stdin:9: spec.containers[0].resources.limits.nvidia.com/gpu"));
}

TEST_CASE("An InferenceService that the CRD refuses is refused") {
  const std::string head = "apiVersion: shm-operator.dev/v1alpha1\nkind: InferenceService\n";
  const std::string spec = "spec: {tensorParallelSize: 2, selector: {matchLabels: {a: b}}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {head + "metadata: {name: a}\n" + spec + ", port: 99999}\n", "stdin:4: spec.port: 99999"},
      {head + "metadata: {name: a}\n" + spec + ", replicas: -1}\n", "stdin:4: spec.replicas: -1"},
      {head + "metadata: {name: a.b}\n" + spec + "}\n", "stdin:3: metadata.name: \"a.b\""},
      {"apiVersion: shm-operator.dev/v9\nkind: InferenceService\nmetadata: {name: a}\n" + spec +
           "}\n",
       "stdin:1: apiVersion: \"shm-operator.dev/v9\""},
  };
  for (const auto& [input, said] : cases) {
    const Rendered rendered = Render(input);
    INFO(rendered.err);
    CHECK(rendered.code == 2);
    CHECK(rendered.out.empty());
    CHECK(Has(rendered.err, said));
  }
}

}  // namespace shm::cli::render_test
