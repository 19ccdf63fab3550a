#include "cli/manifest_check.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/children.h"
#include "core/names.h"

namespace shm::cli {
namespace {

using manifest::Document;
using manifest::Json;

// One object of a document, for findings of it.
struct Subject {
  const Document* document;
  std::size_t number;  // of the document in its file
  ObjectType type;
  std::string name;
  std::string name_space;
  std::string path;  // in the document
};

struct ReadDocument {
  Document document;
  std::size_t number = 1;
  std::map<std::string, Error> invalid;  // InferenceServices in it, by their path
};

bool IsNamespace(const ObjectType& type) {
  return type.kind == "Namespace" && type.api_version == "v1";
}

std::string NameOf(const Json& object) {
  std::string name = TextAt(object, {"metadata", "name"});
  return name.empty() ? TextAt(object, {"metadata", "generateName"}) : name;
}

// The pod template that the operator would put into the Deployment, as read; nothing where the
// InferenceService has none, or none that could be one.
std::optional<nlohmann::json> TemplateOf(const Json& object) {
  const nlohmann::json plain(object);
  const auto service = ParseInferenceService(plain);
  const nlohmann::json::json_pointer spec("/spec/template/spec");
  if (!service.ok() || !plain.contains(spec) || !plain.at(spec).is_object()) return std::nullopt;
  return BuildDeployment(*service, plain.at("spec"), Stamp{}).at("spec").at("template");
}

class Checker {
 public:
  Checker(ManifestInput* input, const CheckRules& rules)
      : input_(*input), rules_(rules), catalog_(std::move(input->catalog)) {}

  Result<CheckReport> Check() {
    auto done = Read(&input_.services, false);
    if (done.ok()) done = Read(&input_.sources, true);
    if (!done.ok()) return done.error();
    around_ = catalog_.around();
    // An installation that audits leaves pods as they are.
    if (std::exchange(around_.installation.audit, false)) rules_.webhook = WebhookUse::kAbsent;
    for (ReadDocument& read : documents_) Judge(&read);
    return std::move(report_);
  }

 private:
  // `own`: findings may be of them.
  Result<void> Read(std::vector<ManifestSource>* sources, bool own) {
    for (ManifestSource& source : *sources) {
      std::size_t number = 0;
      auto done = source.ReadAll([&](Document document) {
        return Take({std::move(document), ++number, {}}, own);
      });
      if (!done.ok()) return done;
    }
    return {};
  }

  Result<void> Take(ReadDocument read, bool own) {
    Document& document = read.document;
    if (document.value.is_null()) return {};
    if (!document.value.is_object()) return document.Locate({"", "a manifest is an object"});
    report_.documents += own ? 1 : 0;
    bool keep = false;
    const auto learned = VisitObjects(
        &document.value, [&](Json* object, const ObjectType& type, const std::string& path) {
          const bool service = IsInferenceService(*object);
          keep = keep || service || IsNamespace(type) || NoTemplateNote(type) ||
                 !FindPods(*object, input_.declared, type).empty();
          if (type.kind.ends_with("List")) return Result<void>();  // its items come one by one
          const auto added = catalog_.Add(*object);
          if (added.ok() || !service || !own) return added;
          read.invalid.emplace(path, added.error());
          invalid_.emplace(catalog_.NamespaceOf(*object), NameOf(*object));
          return Result<void>();
        });
    if (!learned.ok()) return document.Locate(learned.error());
    if (own && keep) documents_.push_back(std::move(read));
    return {};
  }

  Subject SubjectOf(const ReadDocument& read, const Json& object, const ObjectType& type,
                    const std::string& path) const {
    const bool cluster = IsNamespace(type);
    return {&read.document,
            read.number,
            type,
            NameOf(object),
            cluster ? "" : catalog_.NamespaceOf(object),
            path};
  }

  void Judge(ReadDocument* read) {
    const std::size_t first = report_.findings.size();
    // The visitor fails nowhere: what is wrong is a finding.
    (void)VisitObjects(
        &read->document.value, [&](Json* object, const ObjectType& type, const std::string& path) {
          const Subject subject = SubjectOf(*read, *object, type, path);
          if (const auto invalid = read->invalid.find(path); invalid != read->invalid.end()) {
            const Error& error = invalid->second;
            Add(subject, error.field, MakeFinding(rules::kInvalidService, error.message));
          } else {
            JudgeObject(subject, *object);
          }
          return Result<void>();
        });
    FindLines(read->document, first);
  }

  // All at once: a line is found by reading the document's text again.
  void FindLines(const Document& document, std::size_t first) {
    std::vector<std::string> fields;
    for (std::size_t i = first; i < report_.findings.size(); ++i) {
      fields.push_back(report_.findings[i].field);
    }
    const std::vector<std::size_t> lines = document.LinesOf(fields);
    for (std::size_t i = 0; i < lines.size(); ++i) report_.findings[first + i].line = lines[i];
  }

  void JudgeObject(const Subject& subject, const Json& object) {
    if (IsNamespace(subject.type)) return JudgeNamespace(subject, object);
    if (IsInferenceService(object)) return JudgeService(subject, object);
    const std::vector<PodPlace> places = FindPods(object, input_.declared, subject.type);
    for (const PodPlace& place : places) {
      ++report_.pods;
      const Result<PodView> view = ReadPodAt(object, place);
      if (view.ok()) {
        JudgePlaced(subject, place.path, *view, nlohmann::json(object.at(place.pod)));
      } else {
        Add(subject, view.error().field, MakeFinding(rules::kInvalidPod, view.error().message));
      }
    }
    if (const char* note = NoTemplateNote(subject.type); note && places.empty()) {
      Add(subject, "", MakeFinding(rules::kNotJudged, note));
    }
  }

  void JudgeNamespace(const Subject& subject, const Json& object) {
    for (const std::string& warning : ReadNamespaceFacts(nlohmann::json(object)).warnings) {
      Add(subject, "metadata.annotations",
          MakeFinding(ReasonName(Reason::kInvalidAnnotation), warning));
    }
  }

  // The operator makes its pods, labelled. Without an operator there are none.
  void JudgeService(const Subject& subject, const Json& object) {
    const auto pod = TemplateOf(object);
    if (!pod || rules_.webhook == WebhookUse::kAbsent) return;
    ++report_.pods;
    const Result<PodView> view = ReadPodDocument(*pod);
    if (view.ok()) return JudgePlaced(subject, "spec.template", *view, *pod);
    Add(subject, FieldBelow("spec.template", view.error().field),
        MakeFinding(rules::kInvalidPod, view.error().message));
  }

  void JudgePlaced(const Subject& subject, const std::string& path, const PodView& view,
                   const nlohmann::json& pod) {
    // What it would get is told by a service that is to be mended first.
    const std::string* service = view.Label(names::kServiceLabel);
    if (service && invalid_.contains({subject.name_space, *service})) return;
    if (rules_.all_enabled) around_.namespaces[subject.name_space].enabled = true;
    for (Finding& finding : CheckPod(view, pod, subject.name_space, around_, rules_.webhook)) {
      Add(subject, path, std::move(finding));
    }
  }

  // `field`: in the object.
  void Add(const Subject& subject, const std::string& field, Finding finding) {
    finding.file = subject.document->file;
    finding.document = subject.number;
    finding.field = FieldBelow(subject.path, field);
    finding.kind = subject.type.kind;
    finding.name = subject.name;
    finding.name_space = subject.name_space;
    report_.findings.push_back(std::move(finding));
  }

  ManifestInput& input_;
  CheckRules rules_;
  ServiceCatalog catalog_;
  Surroundings around_;
  std::vector<ReadDocument> documents_;
  std::set<std::pair<std::string, std::string>> invalid_;  // InferenceServices, by namespace
  CheckReport report_;
};

}  // namespace

Result<CheckReport> CheckManifests(ManifestInput* input, const CheckRules& rules) {
  return Checker(input, rules).Check();
}

}  // namespace shm::cli
