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

std::string NamesOf(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

int WrongUsage(const std::string& message, const std::string& whose, const Streams& streams) {
  streams.err << "shmctl: " << message << "\nSee " << whose << " --help.\n";
  return kBadInput;
}

// What is left over of the arguments. CLI11 would list all of it, last first, and say no more.
std::string Unexpected(const CLI::App& app, const CLI::App* command) {
  const std::vector<std::string> words = app.remaining(true);
  const std::string first = "\"" + (words.empty() ? std::string() : words.front()) + "\"";
  const bool flag = first.starts_with("\"-");
  if (!command) {
    return first + (flag ? " is no flag that stands before a command"
                         : " is no command; commands are " + NamesOf(app));
  }
  return command->get_name() + (flag ? " has no flag " : " does not expect ") + first;
}

int Refuse(const CLI::App& app, const CLI::ParseError& error, const Streams& streams) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const CLI::App* command = parsed.empty() ? nullptr : parsed.front();
  const bool left_over = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return WrongUsage(left_over ? Unexpected(app, command) : error.what(),
                    app.get_name() + (command ? " " + command->get_name() : ""), streams);
}

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
    return Refuse(app, error, streams);
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
  return WrongUsage("a command is required: one of " + NamesOf(app), name, streams);
}

int RunAs(const std::string& path, std::vector<std::string> args, std::istream& in,
          std::ostream& out, std::ostream& err) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  if (name == "kubectl_complete-shm") args.insert(args.begin(), kCompleteWord);
  return Run(args, in, out, err, name.starts_with("kubectl") ? "kubectl shm" : "shmctl");
}

}  // namespace shm::cli
