#include "cli/scan_input.h"

#include <array>
#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "core/names.h"
#include "core/selective_sax.h"
#include "kube/list_reader.h"
#include "manifest/documents.h"

namespace shm::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr int kMostDepth = 512;  // as kube/list_reader.h
constexpr const char* kWanted = "give what `kubectl get pods -A -o json` writes";

Result<std::string> ReadAll(std::istream& in) {
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMostBytes) return Error{"", "is larger than 1Gi: scan fewer namespaces"};
  }
  if (in.bad()) return Error{"", "cannot be read"};
  return text;
}

// Walks a text without building anything: is it JSON, how deep, and of which kind is its root.
class Checker : public SelectiveSax {
 public:
  bool string(string_t& value) override {
    if (depth_ == 1 && key_ == "kind") kind = value;
    return true;
  }
  bool key(string_t& value) override {
    if (depth_ == 1) key_ = value;
    return true;
  }
  bool start_object(std::size_t) override {
    is_object = is_object || depth_ == 0;
    if (depth_ == 1 && key_ == "items") {
      wrong = std::string("items is no list: ") + kWanted;
      return false;
    }
    return Deeper();
  }
  bool start_array(std::size_t) override { return Deeper(); }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    wrong = "is not JSON at byte " + std::to_string(position) + ": " + kWanted;
    return false;
  }

  std::string kind;  // of the root
  bool is_object = false;
  std::string wrong;  // empty: nothing

 private:
  bool Deeper() {
    if (++depth_ <= kMostDepth) return true;
    wrong = "nests deeper than " + std::to_string(kMostDepth);
    return false;
  }

  int depth_ = 0;
  std::string key_;
};

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Takes objects one by one. The first error sticks.
class Collector {
 public:
  // `kind`: of objects that do not say, as those of a PodList.
  explicit Collector(std::string kind) : kind_(std::move(kind)) {
    input_.around.services_known = false;
  }

  void Add(const Json& object) { Add(object, kind_); }
  void Add(const Json& object, const std::string& otherwise) {
    const std::size_t index = items_++;
    if (error_) return;
    const std::string own = TextOf(object, "kind");
    const std::string& kind = own.empty() ? otherwise : own;
    if (kind == "Pod") AddPod(object, index);
    if (kind == "Namespace") AddNamespace(object);
    // KServe has a kind of the same name.
    const std::string version = TextOf(object, "apiVersion");
    if (kind == names::kKind && (version.empty() || version == names::kApiVersion)) {
      AddService(object);
    }
  }

  Result<ScanInput> Take() {
    if (error_) return *error_;
    return std::move(input_);
  }

 private:
  void AddPod(const Json& object, std::size_t index) {
    if (HasEnded(object)) return;
    Result<ScannedPod> pod = ReadScannedPod(object);
    if (pod.ok()) {
      input_.pods.push_back(std::move(pod).value());
    } else {
      error_ = Error{"items[" + std::to_string(index) + "]",
                     "Pod " + NameOf(object) + ": " + pod.error().ToString()};
    }
  }

  void AddNamespace(const Json& object) {
    NamespaceFacts facts = ReadNamespaceFacts(object);
    for (const std::string& warning : facts.warnings) Warn("Namespace", object, warning);
    input_.around.namespaces[NameOf(object)] = std::move(facts);
  }

  void AddService(const Json& object) {
    input_.around.services_known = true;
    Result<InferenceService> service = ParseInferenceService(object);
    if (!service.ok()) return Warn(names::kKind, object, service.error().ToString());
    input_.around.services[service->namespace_name].push_back(std::move(service).value());
  }

  void Warn(const char* kind, const Json& object, const std::string& what) {
    input_.warnings.push_back(std::string(kind) + " " + NameOf(object) + ": " + what);
  }

  std::string kind_;
  std::size_t items_ = 0;
  ScanInput input_;
  std::optional<Error> error_;
};

// "Pod" of "PodList", and of nothing else.
std::string ItemKind(std::string_view list_kind) {
  constexpr std::string_view kList = "List";
  if (!list_kind.ends_with(kList)) return "";
  return std::string(list_kind.substr(0, list_kind.size() - kList.size()));
}

Result<ScanInput> ReadText(const std::string& text) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{"", std::string("is empty: ") + kWanted};
  }
  Checker checker;
  if (!Json::sax_parse(text, &checker)) return Error{"", checker.wrong};
  if (!checker.is_object) return Error{"", std::string("is no object: ") + kWanted};
  Collector collector(ItemKind(checker.kind));
  if (kube::ReadListPage(text, [&collector](Json&& item) { collector.Add(item); })) {
    return collector.Take();
  }
  if (checker.kind != "Pod") {
    return Error{"kind", "\"" + checker.kind + "\" is neither a List nor a Pod: " + kWanted};
  }
  Collector single("");
  single.Add(kube::ParseJson(text));
  return single.Take();
}

// What `kubectl get ... -o yaml` writes, or documents of single objects.
Result<ScanInput> ReadYaml(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  manifest::DocumentReader reader(in, name);
  Collector collector("");
  bool any = false;  // a List, or a Pod
  for (;;) {
    const auto document = reader.Next();
    if (!document.ok()) return document.error();
    if (!*document) break;
    const Json object((*document)->value);
    if (object.is_null()) continue;
    if (!object.is_object())
      return (*document)->Locate({"", std::string("is no object: ") + kWanted});
    const auto items = object.find("items");
    const bool list = items != object.end() && items->is_array();
    any = any || list || TextOf(object, "kind") == "Pod";
    const std::string item_kind = ItemKind(TextOf(object, "kind"));
    if (!list) collector.Add(object);
    for (std::size_t i = 0; list && i < items->size(); ++i) collector.Add((*items)[i], item_kind);
  }
  if (!any) return Error{name, std::string("holds neither a List nor a Pod: ") + kWanted};
  Result<ScanInput> input = collector.Take();
  if (input.ok()) return input;
  return Error{name + ": " + input.error().field, input.error().message};
}

}  // namespace

Result<ScanInput> ReadScanInput(std::istream& in, const std::string& name) {
  const Result<std::string> text = ReadAll(in);
  const auto at = [&name](const Error& error) {
    return Error{error.field.empty() ? name : name + ": " + error.field, error.message};
  };
  if (!text.ok()) return at(text.error());
  const std::size_t first = text->find_first_not_of(" \t\r\n");
  const bool json = first == std::string::npos || (*text)[first] == '{' || (*text)[first] == '[';
  if (!json) return ReadYaml(*text, name);
  Result<ScanInput> input = ReadText(*text);
  if (!input.ok()) return at(input.error());
  return input;
}

}  // namespace shm::cli
