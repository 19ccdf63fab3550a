#include "cli/pod_places.h"

#include <algorithm>
#include <utility>

#include "cli/workload_kinds.h"

namespace shm::cli {
namespace {

using manifest::Json;

// One step of a path: a member, and whether the path goes on in all elements or members of it.
struct Step {
  enum class Into { kMember, kElements, kMembers };
  std::string name;
  Into into = Into::kMember;
};

std::vector<Step> StepsOf(std::string_view path) {
  std::vector<Step> steps;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    Step step{std::string(path.substr(0, dot))};
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (step.name.size() > 2 && (step.name.ends_with("[]") || step.name.ends_with("{}"))) {
      step.into = step.name.back() == ']' ? Step::Into::kElements : Step::Into::kMembers;
      step.name.resize(step.name.size() - 2);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// What a path leads to. `chosen`: for each of its wildcards the element's index or member's name.
struct Found {
  Json* value;
  std::string path;
  std::vector<std::string> chosen;
};

void Walk(const std::vector<Step>& steps, std::size_t at, const Found& here,
          std::vector<Found>* found) {
  if (at == steps.size()) {
    found->push_back(here);
    return;
  }
  const Step& step = steps[at];
  if (!here.value->is_object() || !here.value->contains(step.name)) return;
  Json& member = (*here.value)[step.name];
  const std::string path = here.path + (here.path.empty() ? "" : ".") + step.name;
  if (step.into == Step::Into::kMember) {
    Walk(steps, at + 1, {&member, path, here.chosen}, found);
    return;
  }
  if (step.into == Step::Into::kElements ? !member.is_array() : !member.is_object()) return;
  std::size_t index = 0;
  for (auto child = member.begin(); child != member.end(); ++child, ++index) {
    Found next{&*child, path, here.chosen};
    next.chosen.push_back(member.is_array() ? std::to_string(index) : child.key());
    next.path += member.is_array() ? "[" + next.chosen.back() + "]" : "." + next.chosen.back();
    Walk(steps, at + 1, next, found);
  }
}

std::vector<Found> FindAll(Json* document, std::string_view path) {
  std::vector<Found> found;
  Walk(StepsOf(path), 0, {document, "", {}}, &found);
  return found;
}

// The number at `path` that belongs to a place: whose wildcards took the same turns.
std::optional<int> NodesOf(Json* document, std::string_view path, const Found& place) {
  if (path.empty()) return std::nullopt;
  for (const Found& found : FindAll(document, path)) {
    const bool same = found.chosen.size() <= place.chosen.size() &&
                      std::equal(found.chosen.begin(), found.chosen.end(), place.chosen.begin());
    if (!same || !found.value->is_number_integer()) continue;
    const auto nodes = found.value->get<std::int64_t>();
    if (nodes >= 1 && nodes <= 1024) return static_cast<int>(nodes);
  }
  return std::nullopt;
}

void AddPlaces(Json* document, const WorkloadKind& kind, std::vector<PodPlace>* places) {
  for (const Found& found : FindAll(document, kind.path)) {
    if (!found.value->is_object()) continue;
    PodPlace place{found.value, found.path, {}, NodesOf(document, kind.nodes, found)};
    const std::string name = TextAt(*document, {"metadata", "name"});
    if (!kind.name_label.empty() && !name.empty()) {
      place.coming_labels.emplace(kind.name_label, name);
    }
    places->push_back(std::move(place));
  }
}

}  // namespace

std::string_view GroupOf(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

std::string TextAt(const Json& object, std::initializer_list<const char*> path) {
  const Json* value = &object;
  for (const char* name : path) {
    const auto member = value->is_object() ? value->find(name) : value->end();
    if (!value->is_object() || member == value->end()) return "";
    value = &*member;
  }
  return value->is_string() ? value->get<std::string>() : "";
}

Result<DeclaredKind> ParseDeclaredKind(const std::string& text) {
  const std::size_t sign = text.find('=');
  const std::size_t slash = text.find('/');
  if (sign == std::string::npos || slash == std::string::npos || slash > sign ||
      slash + 1 == sign || sign + 1 == text.size()) {
    return Error{"--template-path", "\"" + text +
                                        "\" is not GROUP/KIND=PATH, for example "
                                        "example.com/Engine=spec.pools[].template"};
  }
  return DeclaredKind{text.substr(0, slash), text.substr(slash + 1, sign - slash - 1),
                      text.substr(sign + 1)};
}

std::vector<PodPlace> FindPods(Json* document, const std::vector<DeclaredKind>& declared) {
  std::vector<PodPlace> places;
  const std::string api_version = TextAt(*document, {"apiVersion"});
  const std::string_view group = GroupOf(api_version);
  const std::string kind = TextAt(*document, {"kind"});
  for (const WorkloadKind& known : kWorkloadKinds) {
    if (known.group == group && known.kind == kind) AddPlaces(document, known, &places);
  }
  for (const DeclaredKind& own : declared) {
    if (own.group == group && own.kind == kind) {
      AddPlaces(document, {own.group, own.kind, own.path, "", "", ""}, &places);
    }
  }
  return places;
}

}  // namespace shm::cli
