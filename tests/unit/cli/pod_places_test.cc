#include "cli/pod_places.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/workload_kinds.h"

namespace shm::cli {
namespace {

using manifest::Json;

// Puts `leaf` where the path leads: "[]" becomes a list of two, "{}" a map of two.
void Put(Json* at, std::string_view path, const Json& leaf) {
  if (path.empty()) {
    at->update(leaf);
    return;
  }
  const std::size_t dot = std::min(path.find('.'), path.size());
  std::string name(path.substr(0, dot));
  const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
  const bool list = name.ends_with("[]");
  const bool map = name.ends_with("{}");
  if (list || map) name.resize(name.size() - 2);
  Json& member = (*at)[name];
  std::vector<Json*> children = {&member};
  if (list) {
    if (member.is_null()) member = {nullptr, nullptr};
    children = {&member[0], &member[1]};
  } else if (map) {
    if (member.is_null()) member = {{"Worker", nullptr}, {"Master", nullptr}};
    children = {&member["Worker"], &member["Master"]};
  }
  for (Json* child : children) {
    if (rest.empty()) {
      *child = leaf;
    } else {
      Put(child, rest, leaf);
    }
  }
}

Json DocumentOf(const WorkloadKind& kind) {
  const std::string group(kind.group);
  Json document = {{"apiVersion", group.empty() ? "v1" : group + "/v1"},
                   {"kind", std::string(kind.kind)},
                   {"metadata", {{"name", "n"}}}};
  Put(&document, kind.path, {{"spec", {{"containers", Json::array()}}}});
  if (!kind.nodes.empty()) Put(&document, kind.nodes, 3);
  return document;
}

std::vector<std::string> PathsIn(const Json& document, const std::string& declared) {
  std::vector<DeclaredKind> kinds;
  if (!declared.empty()) kinds.push_back(*ParseDeclaredKind(declared));
  std::vector<std::string> paths;
  for (const PodPlace& place : FindPods(document, kinds, TypeOf(document)))
    paths.push_back(place.path);
  return paths;
}

}  // namespace

TEST_CASE("Every kind's pods are found at its path, with the nodes and the name label it has") {
  for (const WorkloadKind& kind : kWorkloadKinds) {
    const Json document = DocumentOf(kind);
    INFO(document.dump());
    const bool many = kind.path.find_first_of("[{") != std::string_view::npos;
    const std::vector<PodPlace> places = FindPods(document, {}, TypeOf(document));
    CHECK(places.size() >= (many ? 2U : 1U));
    for (const PodPlace& place : places) {
      INFO(place.path);
      CHECK(document.at(place.pod).contains("spec"));
      CHECK(place.coming_nodes == (kind.nodes.empty() ? std::nullopt : std::optional<int>(3)));
      CHECK(place.coming_labels.size() == (kind.name_label.empty() ? 0U : 1U));
    }
  }
}

TEST_CASE("A group stands for its versions, and no other group's kind of that name is meant") {
  const Json pod = {{"spec", {{"template", {{"spec", Json::object()}}}}}};
  struct Case {
    std::string api_version, kind;
    std::size_t places;
  };
  const std::vector<Case> cases = {{"apps/v1", "Deployment", 1},
                                   {"apps/v1beta2", "Deployment", 1},
                                   {"v1", "Deployment", 0},
                                   {"apps.example.com/v1", "Deployment", 0},
                                   {"apps/v1", "deployment", 0},
                                   {"", "Deployment", 0},
                                   {"apps.kruise.io/v1alpha1", "StatefulSet", 1},
                                   {"batch.volcano.sh/v1", "Job", 0}};
  for (const Case& c : cases) {
    Json document = {{"apiVersion", c.api_version}, {"kind", c.kind}};
    document.update(pod);
    INFO(c.api_version << " " << c.kind);
    CHECK(FindPods(document, {}, TypeOf(document)).size() == c.places);
  }
}

TEST_CASE("A number of nodes belongs to the element that it stands in") {
  const Json document = Json::parse(R"({"apiVersion":"workloads.x-k8s.io/v1alpha1",
    "kind":"RoleBasedGroup","spec":{"roles":[
      {"template":{},"leaderWorkerSet":{"size":2}},{"template":{}},
      {"template":{},"leaderWorkerSet":{"size":4}},{"template":{},"leaderWorkerSet":{"size":"4"}},
      {"template":{},"leaderWorkerSet":{"size":0}}]}})");
  std::vector<int> nodes;
  for (const PodPlace& place : FindPods(document, {}, TypeOf(document))) {
    nodes.push_back(place.coming_nodes.value_or(-1));
  }
  CHECK(nodes == std::vector<int>{2, -1, 4, -1, -1});
}

TEST_CASE("A declared path leads into lists and maps, and past what is not there") {
  const Json document = Json::parse(R"({"apiVersion":"example.com/v1","kind":"Engine","spec":{
    "pools":[{"template":{}},{"other":1},{"template":null},{"template":{}}],
    "byName":{"a/b":{"template":{}},"c.d":{"template":{}}},"one":{"template":{}},"text":"x"}})");
  using Paths = std::vector<std::string>;
  const std::vector<std::pair<std::string, Paths>> cases = {
      {"spec.pools[].template", {"spec.pools[0].template", "spec.pools[3].template"}},
      {"spec.byName{}.template", {"spec.byName.a/b.template", "spec.byName.c.d.template"}},
      {"spec.one.template", {"spec.one.template"}},
      {"spec.one[].template", {}},
      {"spec.pools{}.template", {}},
      {"spec.text.template", {}},
      {"spec.none", {}},
  };
  for (const auto& [path, paths] : cases) {
    INFO(path);
    CHECK(PathsIn(document, "example.com/Engine=" + path) == paths);
  }
  CHECK(PathsIn(document, "other.com/Engine=spec.one.template").empty());
}

TEST_CASE("A declaration that could never match is refused by its flag and value") {
  for (const char* good : {"example.com/Engine=spec.template", "/Thing=template",
                           "example.com/E=a[].b{}.c", "example.com/E=a{}"}) {
    INFO(good);
    CHECK(ParseDeclaredKind(good).ok());
  }
  for (const char* bad :
       {"", "=", "/", "/=", "Engine=spec", "example.com/Engine", "example.com/=spec",
        "example.com/Engine=", "example.com/v1/Engine=spec", "x/E=spec..t", "x/E=.spec",
        "x/E=spec.", "x/E=[]", "x/E=a[0].b", "x/E=a[]b", "x/E=a[][]", "x/E=a b", "x=E/spec"}) {
    const auto declared = ParseDeclaredKind(bad);
    INFO(bad);
    REQUIRE_FALSE(declared.ok());
    CHECK(declared.error().field == "--template-path");
    CHECK(declared.error().message.find("\"" + std::string(bad) + "\"") != std::string::npos);
  }
}

}  // namespace shm::cli
