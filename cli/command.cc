#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <ostream>

namespace shm::cli {

CLI::Option* AddFlag(CLI::App* app, const std::string& name, std::string& into,
                     const std::string& help) {
  return app->add_option(name, into, help)->check([](const std::string& text) {
    return text.empty() ? std::string("\"\" is no value") : std::string();
  });
}

int BadInput(const Streams& streams, const Error& error) {
  streams.err << "shmctl: " << error.ToString() << "\n";
  return kBadInput;
}

}  // namespace shm::cli
