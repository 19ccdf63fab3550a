#include "cli/pod_places.h"

#include <algorithm>
#include <utility>

#include "cli/pod_numbers.h"
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
    if (step.name.ends_with("[]") || step.name.ends_with("{}")) {
      step.into = step.name.back() == ']' ? Step::Into::kElements : Step::Into::kMembers;
      step.name.resize(step.name.size() - 2);
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// Names apart by dots, each with at most one "[]" or "{}" behind it.
bool IsPath(std::string_view path) {
  if (path.empty() || path.back() == '.') return false;
  const std::vector<Step> steps = StepsOf(path);
  return std::all_of(steps.begin(), steps.end(), [](const Step& step) {
    return !step.name.empty() && step.name.find_first_of("[]{} ") == std::string::npos;
  });
}

// What a path leads to. `chosen`: for each of its wildcards the element's index or member's name.
struct Found {
  const Json* value;
  Json::json_pointer pointer;
  std::string path;
  std::vector<std::string> chosen;
};

// `here` with one more step: to a member, or an element.
Found Below(const Found& here, const std::string& name) {
  return {&(*here.value)[name], here.pointer / name,
          here.path + (here.path.empty() ? "" : ".") + name, here.chosen};
}
Found Below(const Found& here, std::size_t index) {
  return {&(*here.value)[index], here.pointer / index,
          here.path + "[" + std::to_string(index) + "]", here.chosen};
}

void Walk(const std::vector<Step>& steps, std::size_t at, const Found& here,
          std::vector<Found>* found) {
  if (at == steps.size()) {
    found->push_back(here);
    return;
  }
  const Step& step = steps[at];
  if (!here.value->is_object() || !here.value->contains(step.name)) return;
  const Found member = Below(here, step.name);
  const auto choose = [&](Found child, std::string chosen) {
    child.chosen.push_back(std::move(chosen));
    Walk(steps, at + 1, child, found);
  };
  if (step.into == Step::Into::kMember) {
    Walk(steps, at + 1, member, found);
  } else if (step.into == Step::Into::kElements && member.value->is_array()) {
    for (std::size_t i = 0; i < member.value->size(); ++i) {
      choose(Below(member, i), std::to_string(i));
    }
  } else if (step.into == Step::Into::kMembers && member.value->is_object()) {
    for (const auto& entry : member.value->items()) choose(Below(member, entry.key()), entry.key());
  }
}

std::vector<Found> FindAll(const Json& document, std::string_view path) {
  std::vector<Found> found;
  Walk(StepsOf(path), 0, {&document, Json::json_pointer(), "", {}}, &found);
  return found;
}

// Of the numbers found, the one that belongs to a place: whose wildcards took the same turns.
std::optional<int> NodesOf(const std::vector<Found>& numbers, const Found& place) {
  for (const Found& number : numbers) {
    const bool same = number.chosen.size() <= place.chosen.size() &&
                      std::equal(number.chosen.begin(), number.chosen.end(), place.chosen.begin());
    if (!same || !number.value->is_number_integer()) continue;
    const auto nodes = number.value->get<std::int64_t>();
    if (nodes >= 1 && nodes <= 1024) return static_cast<int>(nodes);
  }
  return std::nullopt;
}

void AddPlaces(const Json& document, const WorkloadKind& kind, std::vector<PodPlace>* places) {
  const std::string name = TextAt(document, {"metadata", "name"});
  const std::vector<Found> numbers =
      kind.nodes.empty() ? std::vector<Found>() : FindAll(document, kind.nodes);
  for (const Found& found : FindAll(document, kind.path)) {
    if (!found.value->is_object()) continue;
    PodPlace place{found.pointer, found.path, {}, NodesOf(numbers, found)};
    if (!kind.name_label.empty() && !name.empty()) {
      place.coming_labels.emplace(kind.name_label, name);
    }
    places->push_back(std::move(place));
  }
}

Result<void> VisitBelow(Json* object, const ObjectType& type, const std::string& path,
                        const ObjectVisitor& visit) {
  if (auto done = visit(object, type, path); !done.ok()) {
    return Error{FieldBelow(path, done.error().field), done.error().message};
  }
  if (!type.kind.ends_with("List") || !object->contains("items")) return {};
  Json& items = (*object)["items"];
  for (std::size_t i = 0; items.is_array() && i < items.size(); ++i) {
    const std::string item = FieldBelow(path, "items[" + std::to_string(i) + "]");
    auto done = VisitBelow(&items[i], TypeOfItem(items[i], type), item, visit);
    if (!done.ok()) return done;
  }
  return {};
}

}  // namespace

Result<void> VisitObjects(Json* document, const ObjectVisitor& visit) {
  return VisitBelow(document, TypeOf(*document), "", visit);
}

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
  const std::size_t sign = std::min(text.find('='), text.size());
  const std::size_t slash = std::min(text.find('/'), sign);
  DeclaredKind declared{text.substr(0, slash), "", ""};
  if (slash < sign) declared.kind = text.substr(slash + 1, sign - slash - 1);
  if (sign < text.size()) declared.path = text.substr(sign + 1);
  const bool version = declared.kind.find('/') != std::string::npos;
  if (!version && !declared.kind.empty() && IsPath(declared.path)) return declared;
  return Error{"--template-path", "\"" + text +
                                      "\" is not GROUP/KIND=PATH, for example "
                                      "example.com/Engine=spec.pools[].template"};
}

ObjectType TypeOf(const Json& object) {
  return {TextAt(object, {"apiVersion"}), TextAt(object, {"kind"})};
}

ObjectType TypeOfItem(const Json& item, const ObjectType& list) {
  ObjectType type = TypeOf(item);
  if (!type.kind.empty()) return type;
  constexpr std::size_t kSuffix = std::string_view("List").size();
  return {list.api_version, list.kind.substr(0, list.kind.size() - kSuffix)};
}

std::vector<PodPlace> FindPods(const Json& document, const std::vector<DeclaredKind>& declared,
                               const ObjectType& type) {
  std::vector<PodPlace> places;
  const std::string_view group = GroupOf(type.api_version);
  const std::string& kind = type.kind;
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

std::string FieldBelow(const std::string& path, const std::string& field) {
  return path + (path.empty() || field.empty() ? "" : ".") + field;
}

std::string ObjectName(const ObjectType& type, const std::string& name_space, const Json& object) {
  std::string name = TextAt(object, {"metadata", "name"});
  if (name.empty()) name = TextAt(object, {"metadata", "generateName"});
  return type.kind + " " + name_space + "/" + name;
}

Result<PodView> ReadPodAt(const Json& document, const PodPlace& place) {
  // A PodView is read from the JSON that the API server would get: members in their order do not
  // matter to it.
  Result<PodView> pod = ReadPodDocument(nlohmann::json(document.at(place.pod)));
  Result<void> read = pod.ok() ? CheckPodNumbers(*pod) : Result<void>(pod.error());
  if (!read.ok()) {
    return Error{FieldBelow(place.path, read.error().field), read.error().message};
  }
  pod->coming_labels = place.coming_labels;
  pod->coming_nodes = place.coming_nodes;
  return pod;
}

const char* NoTemplateNote(const ObjectType& type) {
  struct Kind {
    std::string_view group, kind;
  };
  static constexpr Kind kKinds[] = {{"serving.kserve.io", "InferenceService"},
                                    {"serving.kserve.io", "LLMInferenceService"},
                                    {"serving.kserve.io", "ServingRuntime"},
                                    {"serving.kserve.io", "ClusterServingRuntime"},
                                    {"apps.nvidia.com", "NIMService"},
                                    {"production-stack.vllm.ai", "VLLMRuntime"},
                                    {"kubeai.org", "Model"},
                                    {"ome.io", "InferenceService"},
                                    {"ome.io", "ServingRuntime"},
                                    {"ome.io", "ClusterServingRuntime"},
                                    {"nvidia.com", "DynamoGraphDeployment"},
                                    {"nvidia.com", "DynamoComponentDeployment"},
                                    {"grove.io", "PodCliqueSet"}};
  for (const Kind& known : kKinds) {
    if (known.group == GroupOf(type.api_version) && known.kind == type.kind) {
      return "its controller builds the pods from other fields: they are sized by the webhook";
    }
  }
  return nullptr;
}

}  // namespace shm::cli
