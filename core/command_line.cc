#include "core/command_line.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/shell_script.h"

namespace shm {
namespace {

constexpr int kMaxDepth = 4;  // of sh -c inside sh -c

template <std::size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

constexpr std::array<std::string_view, 6> kShells = {"sh", "bash", "dash", "ash", "zsh", "ksh"};
// Programs that start the rest of their line.
constexpr std::array<std::string_view, 10> kWrappers = {
    "exec", "env", "nohup", "command", "tini", "dumb-init", "nice", "stdbuf", "numactl", "sudo"};

bool IsOption(std::string_view text) { return text.size() > 1 && text.front() == '-'; }

struct Shell {
  std::size_t at;
  bool launched;  // by one that IsLauncher knows
};

// The index of a shell that the line starts, itself or through wrappers.
std::optional<Shell> FindShell(const std::vector<Word>& words) {
  bool launched = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    if (IsOneOf(BaseName(text), kShells) || BaseName(text) == "su") return Shell{i, launched};
    launched = launched || IsLauncher(text);
    if (launched) continue;
    const bool passes = IsOneOf(BaseName(text), kWrappers) || IsOption(text) ||
                        text.find('=') != std::string_view::npos;
    if (!passes) return std::nullopt;
  }
  return std::nullopt;
}

// `su USER -c SCRIPT`, `su -c SCRIPT USER`: the shell is the user's own.
std::optional<std::size_t> FindScriptOfSu(const std::vector<Word>& words, std::size_t su) {
  for (std::size_t i = su + 1; i + 1 < words.size(); ++i) {
    if (words[i].text == "-c" || words[i].text == "--command") return i + 1;
  }
  return std::nullopt;
}

// The index of the script of `sh -c`: options first, -o with its own word.
std::optional<std::size_t> FindScript(const std::vector<Word>& words, std::size_t shell) {
  if (BaseName(words[shell].text) == "su") return FindScriptOfSu(words, shell);
  bool is_command = false;
  for (std::size_t i = shell + 1; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    const bool option = text.size() > 1 && (text.front() == '-' || text.front() == '+');
    if (!option) return is_command ? std::optional(i) : std::nullopt;
    if (text.rfind("--", 0) == 0) {
      if (text == "--")
        return is_command && i + 1 < words.size() ? std::optional(i + 1) : std::nullopt;
      if (text == "--rcfile" || text == "--init-file") ++i;
      continue;
    }
    is_command = is_command || text.find('c') != std::string_view::npos;
    if (text.back() == 'o' || text.back() == 'O') ++i;
  }
  return std::nullopt;
}

// What `eval` reads: its words with blanks between. References that could not be told are in it as
// they were written, and cannot be told the second time either.
std::string EvalText(const std::vector<Word>& words) {
  std::string text;
  for (std::size_t i = 1; i < words.size(); ++i) text += (i > 1 ? " " : "") + words[i].text;
  return text;
}

// The index of COMMAND in `ray symmetric-run OPTIONS -- COMMAND`, which runs Ray and then it
// (ray-project/ray python/ray/scripts/symmetric_run.py).
std::optional<std::size_t> FindEntrypoint(const std::vector<Word>& words) {
  bool symmetric = false;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    symmetric =
        symmetric || (BaseName(words[i].text) == "ray" && words[i + 1].text == "symmetric-run");
    if (symmetric && words[i].text == "--") return i + 1;
  }
  return std::nullopt;
}

// Collects commands, reading shells on the way.
class Collector {
 public:
  Collector(CommandLine* line, std::size_t reading, std::size_t* room)
      : line_(line), reading_(reading), room_(room) {}

  void Take(SimpleCommand command, int depth) {
    if (command.words.empty()) return;
    if (command.words.front().text == "eval") {
      ReadScript(EvalText(command.words), {}, command.launcher, depth);
      return;
    }
    if (const auto entrypoint = FindEntrypoint(command.words); entrypoint && depth < kMaxDepth) {
      const auto first = command.words.begin() + static_cast<std::ptrdiff_t>(*entrypoint);
      SimpleCommand started = command;
      started.words.assign(first, command.words.end());
      command.words.erase(first, command.words.end());
      line_->commands.push_back(std::move(command));
      Take(std::move(started), depth + 1);
      return;
    }
    const std::optional<Shell> shell = FindShell(command.words);
    const std::optional<std::size_t> script =
        shell ? FindScript(command.words, shell->at) : std::nullopt;
    if (!script) {
      line_->commands.push_back(std::move(command));
      return;
    }
    std::vector<Word> positional(command.words.begin() + static_cast<std::ptrdiff_t>(*script) + 1,
                                 command.words.end());
    Launcher launcher = command.launcher;
    if (shell->launched) {
      const auto end = command.words.begin() + static_cast<std::ptrdiff_t>(shell->at);
      launcher = std::make_shared<const std::vector<Word>>(command.words.begin(), end);
    }
    ReadScript(command.words[*script].text, std::move(positional), launcher, depth);
  }

 private:
  void ReadScript(const std::string& script, std::vector<Word> positional, const Launcher& launcher,
                  int depth) {
    if (depth >= kMaxDepth || read_bytes_ + script.size() > kMaxScriptBytes) {
      line_->warnings.push_back("a shell script in the command is too long or too deep to be read");
      return;
    }
    read_bytes_ += script.size();
    ShellScript reader(script, std::move(positional), reading_, &line_->env, room_,
                       [this, depth, &launcher](SimpleCommand inner) {
                         inner.launcher = launcher;
                         Take(std::move(inner), depth + 1);
                       });
    if (!reader.Read()) {
      line_->warnings.push_back("a shell script in the command expands to too much to be read");
    }
    line_->readings = std::max(line_->readings, reader.readings());
  }

  CommandLine* line_;
  std::size_t reading_;
  std::size_t* room_;
  std::size_t read_bytes_ = 0;
};

}  // namespace

bool IsLauncher(std::string_view program) {
  constexpr std::array<std::string_view, 4> kLaunchers = {"mpirun", "mpiexec", "orterun",
                                                          "prterun"};
  return IsOneOf(BaseName(program), kLaunchers);
}

std::string_view BaseName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

CommandLine ReadCommandLine(const std::vector<std::string>& command,
                            const std::vector<std::string>& args, PodEnv env, std::size_t reading,
                            std::size_t* room) {
  CommandLine line;
  SimpleCommand whole;
  std::size_t all = kMaxReadBytes;
  if (room == nullptr) room = &all;
  whole.words.reserve(std::min(command.size() + args.size(), kMaxReadBytes / kWordCost));
  for (const std::vector<std::string>* part : {&command, &args}) {
    for (const std::string& text : *part) {
      ExpandedText expanded = env.Expand(text);
      const std::size_t bytes = expanded.text.size() + kWordCost;
      if (bytes > *room) {
        line.warnings.push_back("the command is too long to be read in full");
        *room = 0;
        break;
      }
      *room -= bytes;
      Word word;
      if (!expanded.unknown.empty() || !expanded.missing.empty()) {
        const std::string& name =
            expanded.unknown.empty() ? expanded.missing.front() : expanded.unknown.front();
        word.unresolved = "$(" + name + ")";
      }
      word.text = std::move(expanded.text);
      whole.words.push_back(std::move(word));
    }
  }
  line.env = std::move(env);
  Collector(&line, reading, room).Take(std::move(whole), 0);
  return line;
}

}  // namespace shm
