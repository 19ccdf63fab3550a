#include "cli/render.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "cli/document_writer.h"
#include "cli/manifest_flags.h"
#include "cli/render_document.h"
#include "core/quantity.h"

namespace shm::cli {
namespace {

using manifest::Document;

struct RenderFlags {
  ManifestFlags manifests;
  std::string output;
};

// Objects that the pods of other documents depend on.
bool MayConcernOthers(std::string_view text) {
  return text.find("InferenceService") != std::string_view::npos ||
         text.find("Namespace") != std::string_view::npos ||
         text.find("ResourceClaimTemplate") != std::string_view::npos;
}

class Renderer {
 public:
  Renderer(ServiceCatalog catalog, std::vector<DeclaredKind> declared, Output output,
           const Streams& streams)
      : catalog_(std::move(catalog)),
        declared_(std::move(declared)),
        writer_(streams.out, output),
        err_(streams.err) {}

  // All that sources bring to the pods of others.
  Result<void> Learn(std::vector<ManifestSource>* sources) {
    for (ManifestSource& source : *sources) {
      auto done = source.ReadAll([this](const Document& document) { return Add(document); });
      if (!done.ok()) return done;
    }
    return {};
  }

  // The same of what is to be rendered, before any pod is looked at.
  Result<void> LookAhead(std::vector<ManifestSource>* sources) {
    for (ManifestSource& source : *sources) {
      auto done = source.LookAhead(MayConcernOthers,
                                   [this](const Document& document) { return Add(document); });
      if (!done.ok()) return done;
    }
    return {};
  }

  Result<void> Render(std::vector<ManifestSource>* sources) {
    for (ManifestSource& source : *sources) {
      auto done = source.ReadAll([this](Document document) { return Take(std::move(document)); });
      if (!done.ok()) return done;
    }
    return writer_.Finish() ? Result<void>() : Result<void>(Error{"stdout", "cannot be written"});
  }

  int code() const { return finding_ ? kFinding : kDone; }

 private:
  Result<void> Take(Document document) {
    if (!document.value.is_null() && !document.value.is_object()) {
      return document.Locate({"", "a manifest is an object"});
    }
    if (document.value.is_null()) {
      writer_.Write(document, false);
      return {};
    }
    if (auto added = AddLate(document); !added.ok()) return added;
    const auto rendering = RenderDocument(catalog_, declared_, &document.value);
    if (!rendering.ok()) return document.Locate(rendering.error());
    for (const RenderedPod& pod : rendering->pods) Report(pod);
    for (const std::string& note : rendering->notes) err_ << "note: " << note << "\n";
    writer_.Write(document, rendering->changed);
    return {};
  }

  Result<void> Add(const Document& document) {
    if (!document.value.is_null() && !document.value.is_object()) {
      return document.Locate({"", "a manifest is an object"});
    }
    const auto added = catalog_.Add(document.value);
    return added.ok() ? added : Result<void>(document.Locate(added.error()));
  }

  // Of a long standard input only the beginning was looked at ahead.
  Result<void> AddLate(const Document& document) {
    const auto added = catalog_.AddUnknown(document.value);
    if (!added.ok()) return document.Locate(added.error());
    if (*added == 0) return {};
    finding_ = true;
    const Error late{"metadata.name", "this " + TextAt(document.value, {"kind"}) +
                                          " stands after the first 4Mi of the stream: pods before "
                                          "it were rendered without it; give it by --services"};
    err_ << "warning: " << document.Locate(late).ToString() << "\n";
    return {};
  }

  void Report(const RenderedPod& pod) {
    const PodDecision& decision = pod.decision;
    for (const std::string& warning : decision.Warnings()) {
      err_ << "warning: " << pod.object << ": " << warning << "\n";
    }
    if (decision.outcome == Outcome::kInjected && !decision.audited && decision.size) {
      err_ << pod.object << ": /dev/shm " << FormatBytes(*decision.size) << ": "
           << decision.arithmetic << "\n";
    }
    if (!pod.refused()) return;
    finding_ = true;
    err_ << "refused: " << pod.object << ": " << decision.message << "\n";
  }

  ServiceCatalog catalog_;
  const std::vector<DeclaredKind> declared_;
  DocumentWriter writer_;
  std::ostream& err_;
  bool finding_ = false;
};

int Render(const RenderFlags& flags, const Streams& streams) {
  auto input = OpenManifests(flags.manifests, streams);
  if (!input.ok()) return BadInput(streams, input.error());
  const Output output = flags.output == "json"   ? Output::kJson
                        : flags.output == "yaml" ? Output::kYaml
                                                 : Output::kAsRead;
  Renderer renderer(std::move(input->catalog), std::move(input->declared), output, streams);
  auto done = renderer.Learn(&input->services);
  if (done.ok()) done = renderer.LookAhead(&input->sources);
  if (done.ok()) done = renderer.Render(&input->sources);
  return done.ok() ? renderer.code() : BadInput(streams, done.error());
}

constexpr const char* kFooter =
    "Documents without pods pass byte for byte; so do those whose pods are as they should be.\n"
    "Others are written anew: of their comments only those above them stay.\n"
    "InferenceServices among the manifests tell how the pods of their namespace are sized, and\n"
    "Namespaces bring their defaults. The webhook does the same to pods as they are created; it\n"
    "looks only at labelled pods and namespaces, here every pod is looked at.\n"
    "Input that cannot be read leaves standard output empty; of more than 4Mi the documents\n"
    "before it are written.\n"
    "Exit codes: 0 done, 1 a pod that would be refused, 2 bad input\n";

void Declare(CLI::App* app, RenderFlags* flags) {
  AddManifestFlags(app, &flags->manifests);
  app->add_option("-o,--output", flags->output, "yaml or json; else each document as it was")
      ->check(CLI::IsMember({"json", "yaml"}));
  app->footer(kFooter);
}

}  // namespace

Command AddRender(CLI::App& program) {
  const auto flags = std::make_shared<RenderFlags>();
  CLI::App* app = program.add_subcommand(
      "render", "Manifests with their pods' /dev/shm sized, as the webhook would.");
  Declare(app, flags.get());
  return {app, [flags](const Streams& streams) { return Render(*flags, streams); }};
}

}  // namespace shm::cli
