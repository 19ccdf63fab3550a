#include "cli/krm.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "cli/installation_flags.h"
#include "cli/output.h"
#include "cli/render_document.h"
#include "cli/service_catalog.h"
#include "manifest/documents.h"

namespace shm::cli {
namespace {

using manifest::Document;
using manifest::Json;

constexpr const char* kWanted =
    "a ResourceList of config.kubernetes.io is expected, as kustomize and kpt send it";

// What functionConfig says: a ConfigMap's data, named as the flags of `shmctl render` are.
struct FunctionConfig {
  InstallationFlags installation;
  std::string name_space = "default";
  bool count_claims = false;
};

Result<FunctionConfig> ReadConfig(const Json& list) {
  FunctionConfig config;
  const auto function = list.find("functionConfig");
  if (function == list.end() || !function->is_object()) return config;
  const auto data = function->find("data");
  if (data == function->end() || !data->is_object()) return config;
  for (const auto& [name, value] : data->items()) {
    const std::string field = "functionConfig.data." + name;
    if (!value.is_string()) return Error{field, "must be a string"};
    const auto text = value.get<std::string>();
    const bool on = text == "true";
    if (name == "sizePerGPU") {
      config.installation.size_per_gpu = text;
    } else if (name == "maxSize") {
      config.installation.max_size = text;
    } else if (name == "memoryHeadroom") {
      config.installation.memory_headroom = text;
    } else if (name == "memoryLimitPolicy") {
      config.installation.memory_limit_policy = text;
    } else if (name == "namespace") {
      config.name_space = text;
    } else if ((name == "audit" || name == "countResourceClaims") && (on || text == "false")) {
      (name == "audit" ? config.installation.audit : config.count_claims) = on;
    } else {
      return Error{field,
                   "\"" + text +
                       "\" is not known: sizePerGPU, maxSize, memoryHeadroom, "
                       "memoryLimitPolicy and namespace are, audit and countResourceClaims are "
                       "\"true\" or \"false\""};
    }
  }
  return config;
}

// The file that an item stands in, as the orchestrator notes it.
Json FileOf(const Json& item) {
  Json file = Json::object();
  std::string path =
      TextAt(item, {"metadata", "annotations", "internal.config.kubernetes.io/path"});
  if (path.empty()) path = TextAt(item, {"metadata", "annotations", "config.kubernetes.io/path"});
  if (path.empty()) return file;
  file["path"] = path;
  std::string index =
      TextAt(item, {"metadata", "annotations", "internal.config.kubernetes.io/index"});
  if (index.empty())
    index = TextAt(item, {"metadata", "annotations", "config.kubernetes.io/index"});
  const bool number = !index.empty() && index.size() < 9 &&
                      index.find_first_not_of("0123456789") == std::string::npos;
  if (number) file["index"] = std::stoi(index);
  return file;
}

Json ResultOf(const Json& item, const char* severity, const std::string& message,
              const std::string& field) {
  Json result = {{"message", message}, {"severity", severity}};
  Json reference = {{"apiVersion", TextAt(item, {"apiVersion"})},
                    {"kind", TextAt(item, {"kind"})},
                    {"name", TextAt(item, {"metadata", "name"})}};
  const std::string name_space = TextAt(item, {"metadata", "namespace"});
  if (!name_space.empty()) reference["namespace"] = name_space;
  result["resourceRef"] = std::move(reference);
  if (!field.empty()) result["field"] = {{"path", field}};
  if (Json file = FileOf(item); !file.empty()) result["file"] = std::move(file);
  return result;
}

// Renders items and collects what there is to say of them.
class Function {
 public:
  explicit Function(const ServiceCatalog& catalog) : catalog_(catalog) {}

  void Take(Json* item) {
    Json rendered = *item;
    const auto rendering = RenderDocument(catalog_, {}, &rendered);
    if (!rendering.ok()) {
      Say(*item, "error", rendering.error().message, rendering.error().field);
      failed_ = true;
      return;
    }
    for (const RenderedPod& pod : rendering->pods) Report(*item, pod);
    for (const std::string& note : rendering->notes) Say(*item, "info", note, "");
    if (rendering->changed) *item = std::move(rendered);
  }

  Json TakeResults() { return std::move(results_); }
  bool failed() const { return failed_; }

 private:
  void Say(const Json& item, const char* severity, const std::string& message,
           const std::string& field) {
    results_.push_back(ResultOf(item, severity, message, field));
  }

  void Report(const Json& item, const RenderedPod& pod) {
    const PodDecision& decision = pod.decision;
    for (const std::string& warning : decision.Warnings()) Say(item, "warning", warning, pod.path);
    if (pod.refused()) {
      Say(item, "error", decision.message, pod.path);
      failed_ = true;
    } else if (decision.outcome == Outcome::kInjected && !decision.audited && decision.size) {
      Say(item, "info", "/dev/shm: " + decision.arithmetic, pod.path);
    }
  }

  const ServiceCatalog& catalog_;
  Json results_ = Json::array();
  bool failed_ = false;
};

Result<Document> ReadList(std::istream& in) {
  manifest::DocumentReader reader(in, "stdin");
  Result<std::optional<Document>> document = reader.Next();
  if (!document.ok()) return document.error();
  if (!*document || TextAt((*document)->value, {"kind"}) != "ResourceList" ||
      GroupOf(TextAt((*document)->value, {"apiVersion"})) != "config.kubernetes.io") {
    return Error{"stdin", kWanted};
  }
  return std::move(**document);
}

// The list as it goes out, and whether an item failed.
Result<std::pair<Json, bool>> RunFunction(Json list) {
  const Result<FunctionConfig> config = ReadConfig(list);
  if (!config.ok()) return config.error();
  const auto installation = ReadInstallationFlags(config->installation);
  if (!installation.ok()) return Error{"functionConfig", installation.error().ToString()};
  ServiceCatalog catalog(*installation, config->name_space,
                         config->count_claims ? std::optional(KnownGpuClasses()) : std::nullopt);
  if (auto added = catalog.Add(list); !added.ok()) return added.error();
  Function function(catalog);
  Json none = Json::array();
  Json& items = list.contains("items") ? list["items"] : none;
  if (!items.is_array()) return Error{"items", "must be a list"};
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) {
      return Error{"items[" + std::to_string(i) + "]", "must be an object"};
    }
    function.Take(&items[i]);
  }
  Json results = function.TakeResults();
  if (!results.empty()) list["results"] = std::move(results);
  return std::pair(std::move(list), function.failed());
}

int Krm(const Streams& streams) {
  Result<Document> document = ReadList(streams.in);
  if (!document.ok()) return BadInput(streams, document.error());
  const auto done = RunFunction(std::move(document->value));
  if (!done.ok()) return BadInput(streams, document->Locate(done.error()));
  const bool json = document->format == manifest::Format::kJson;
  WriteAnswer(done->first, json ? "json" : "yaml", streams.out);
  return done->second ? kFinding : kDone;
}

}  // namespace

Command AddKrm(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "krm", "render as a KRM function: a ResourceList in and out, for kustomize and kpt.");
  app->footer(
      "InferenceServices and Namespaces among the items count. functionConfig may be a ConfigMap "
      "whose\ndata has sizePerGPU, maxSize, memoryHeadroom, memoryLimitPolicy, namespace, audit,\n"
      "countResourceClaims.\n"
      "Exit codes: 0 done, 1 an item failed (results say which), 2 bad input\n");
  return {app, [](const Streams& streams) { return Krm(streams); }};
}

}  // namespace shm::cli
