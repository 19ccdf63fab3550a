// The part of the command line that `render` and `check` share: which manifests, and by which rules
// their pods are sized.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/installation_flags.h"
#include "cli/manifest_source.h"
#include "cli/pod_places.h"
#include "cli/service_catalog.h"

namespace shm::cli {

// As the user typed them.
struct ManifestFlags {
  std::vector<std::string> files;
  std::vector<std::string> services;
  std::vector<std::string> template_paths;
  std::string name_space = "default";
  InstallationFlags installation;
  bool count_claims = false;
};

void AddManifestFlags(CLI::App* app, ManifestFlags* flags);

struct ManifestInput {
  std::vector<ManifestSource> sources;   // what the command is about; standard input by default
  std::vector<ManifestSource> services;  // what tells how its pods are sized, and nothing more
  std::vector<DeclaredKind> declared;
  ServiceCatalog catalog;  // empty, with the rules of the installation
};

// Reads the flags and opens what they name; standard input must outlive it. An Error's field is the
// flag or the file. Says so where somebody at a terminal is waited for.
Result<ManifestInput> OpenManifests(const ManifestFlags& flags, const Streams& streams);

}  // namespace shm::cli
