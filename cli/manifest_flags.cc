#include "cli/manifest_flags.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

namespace shm::cli {
namespace {

bool Has(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

// Whoever typed the command alone would wait for it, and it for them.
void SayWhatIsAwaited(const Streams& streams) {
  if (&streams.in != &std::cin || isatty(STDIN_FILENO) == 0) return;
  streams.err << "shmctl: reads manifests from standard input; -f names a file or a directory\n";
}

Result<std::vector<DeclaredKind>> ReadDeclared(const std::vector<std::string>& texts) {
  std::vector<DeclaredKind> declared;
  for (const std::string& text : texts) {
    const auto kind = ParseDeclaredKind(text);
    if (!kind.ok()) return kind.error();
    declared.push_back(*kind);
  }
  return declared;
}

}  // namespace

void AddManifestFlags(CLI::App* app, ManifestFlags* flags) {
  app->add_option("-f,--filename", flags->files,
                  "A file, a directory (its *.yaml, *.yml, *.json), or - for stdin; may be "
                  "repeated. Without it: stdin")
      ->type_name("PATH");
  app->add_option("--services", flags->services,
                  "A file or directory whose InferenceServices, Namespaces and "
                  "ResourceClaimTemplates count, and nothing else of it")
      ->type_name("PATH");
  app->add_option("-n,--namespace", flags->name_space, "Of objects that name none");
  app->add_option("--template-path", flags->template_paths,
                  "GROUP/KIND=PATH: where a kind that is not known has its pod templates, for "
                  "example example.com/Engine=spec.pools[].template");
  AddInstallationFlags(app, &flags->installation);
  app->add_flag("--count-resource-claims", flags->count_claims,
                "Count the GPUs of ResourceClaimTemplates, as the installation may");
}

Result<ManifestInput> OpenManifests(const ManifestFlags& flags, const Streams& streams) {
  const auto installation = ReadInstallationFlags(flags.installation);
  if (!installation.ok()) return installation.error();
  auto declared = ReadDeclared(flags.template_paths);
  if (!declared.ok()) return declared.error();
  const std::vector<std::string> paths =
      flags.files.empty() ? std::vector<std::string>{"-"} : flags.files;
  if (Has(paths, "-") && Has(flags.services, "-")) {
    return Error{"--services", "standard input is read for the manifests themselves"};
  }
  if (flags.files.empty()) SayWhatIsAwaited(streams);
  auto services = ManifestSource::Open(flags.services, streams.in);
  if (!services.ok()) return services.error();
  auto sources = ManifestSource::Open(paths, streams.in);
  if (!sources.ok()) return sources.error();
  const auto gpu_classes =
      flags.count_claims ? std::optional<DeviceClasses>(KnownGpuClasses()) : std::nullopt;
  return ManifestInput{std::move(*sources), std::move(*services), std::move(*declared),
                       ServiceCatalog(*installation, flags.name_space, gpu_classes)};
}

}  // namespace shm::cli
