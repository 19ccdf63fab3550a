#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <optional>
#include <ostream>
#include <utility>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/explain.h"
#include "cli/krm.h"
#include "cli/render.h"
#include "cli/scan.h"
#include "cli/size.h"

namespace shm::cli {
namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done\n"
    "  1  a finding: a line that is not known, a size below what the pod may need, a pod that has\n"
    "     less than it would get, or that would be refused\n"
    "  2  bad input, or no way to the cluster: the message names the flag or the place in the "
    "file,\n"
    "     and nothing is written to standard output\n";

// Nothing where the arguments are well-formed, else the exit code.
std::optional<int> Parse(CLI::App& app, const std::vector<std::string>& args,
                         const Streams& streams) {
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    streams.out << app.help();
    return kDone;
  } catch (const CLI::CallForVersion& version) {
    streams.out << version.what() << "\n";
    return kDone;
  } catch (const CLI::ParseError& error) {
    streams.err << "shmctl: " << error.what() << "\nSee shmctl --help.\n";
    return kBadInput;
  }
}

// What could not be written was not said, whatever else came of it.
int Finish(int code, const Streams& streams) {
  streams.out.flush();
  if (streams.out || code == kBadInput) return code;
  return BadInput(streams, {"", "standard output takes no more"});
}

}  // namespace

int Run(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
        std::ostream& err, const std::string& name) {
  CLI::App app("How much /dev/shm an inference pod needs, and why it ran out of it.");
  app.name(name);
  app.set_version_flag("--version", "shmctl " SHM_VERSION);
  app.footer(kExitCodes);
  // Not required of CLI11, whose complaint would hide the word that is no command.
  app.require_subcommand(0, 1);
  const std::vector<Command> commands = {AddSize(app),      AddExplain(app), AddRender(app),
                                         AddCheck(app),     AddKrm(app),     AddScan(app),
                                         AddCompletion(app)};
  const Streams streams{in, out, err};
  if (!args.empty() && args.front() == kCompleteWord) {
    WriteCompletion(Complete(app, {args.begin() + 1, args.end()}), out);
    return Finish(kDone, streams);
  }
  if (const auto ended = Parse(app, args, streams)) return *ended;
  for (const Command& command : commands) {
    if (command.app->parsed()) return Finish(command.run(streams), streams);
  }
  err << "shmctl: a subcommand is required\nSee shmctl --help.\n";
  return kBadInput;
}

int RunAs(const std::string& path, std::vector<std::string> args, std::istream& in,
          std::ostream& out, std::ostream& err) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (name == "kubectl_complete-shm") args.insert(args.begin(), kCompleteWord);
  return Run(args, in, out, err, name.starts_with("kubectl") ? "kubectl shm" : "shmctl");
}

}  // namespace shm::cli
