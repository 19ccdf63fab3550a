#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

namespace shm::cli {
namespace {

using Candidate = Completion::Candidate;
using Words = std::vector<std::string>;

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// The word that is typed, and the option whose value it is, if it is one.
struct Typed {
  std::string flag;
  std::string before;  // what of the word stands before the value: "--output="
  std::string value;
};

// bash takes "--output=js" for three words, others for one.
Typed ReadTyped(const Words& words) {
  const auto from_end = [&words](std::size_t back) {
    return back <= words.size() ? words[words.size() - back] : std::string();
  };
  const std::string last = from_end(1);
  if (last == "=") return {from_end(2), "", ""};
  if (from_end(2) == "=") return {from_end(3), "", last};
  const std::size_t sign = last.find('=');
  if (last.starts_with("--") && sign != std::string::npos) {
    return {last.substr(0, sign), last.substr(0, sign + 1), last.substr(sign + 1)};
  }
  return {from_end(2), "", last};
}

// The command that was named among the words before the last, else the program.
const CLI::App& CommandOf(const CLI::App& program, const Words& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
      if (command->get_name() == words[i]) return *command;
    }
  }
  return program;
}

// "TEXT:{json,yaml}" is what CLI11 calls an option that takes one of these.
Words ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}', std::min(begin, type.size()));
  if (end == std::string::npos) return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

class Completer {
 public:
  explicit Completer(const Typed& typed) : typed_(typed) {}

  // Values of an option.
  void AddValues(const CLI::Option& option) {
    for (const std::string& choice : ChoicesOf(option)) Offer(choice, "");
    completion_.files = completion_.files || option.get_type_name().starts_with("PATH");
  }

  void AddCommandsAndValues(const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      Offer(command->get_name(), FirstLine(command->get_description()));
    }
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_positional()) AddValues(*option);
    }
  }

  void AddFlags(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        Offer("--" + name, FirstLine(option->get_description()));
      }
    }
  }

  bool empty() const { return completion_.candidates.empty() && !completion_.files; }
  Completion Take() { return std::move(completion_); }

 private:
  void Offer(const std::string& word, const std::string& help) {
    if (word.starts_with(typed_.value)) {
      completion_.candidates.push_back({typed_.before + word, help});
    }
  }

  const Typed& typed_;
  Completion completion_;
};

constexpr const char* kBash = R"(# shmctl in bash: source <(shmctl completion bash)
_shmctl() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :0) files=yes ;;
      :*) ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ -n "$files" ]; then
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
    compopt -o filenames 2>/dev/null || true
  fi
}
complete -F _shmctl shmctl
)";

constexpr const char* kZsh = R"(#compdef shmctl
# shmctl in zsh: source <(shmctl completion zsh), or a file _shmctl in $fpath
_shmctl() {
  local -a lines described
  local line
  lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${(@)lines}"; do
    [[ $line == :* ]] || described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  [[ ${lines[-1]} != :0 ]] || _files
  _describe shmctl described
}
if [[ ${funcstack[1]} == _shmctl ]]; then
  _shmctl "$@"
else
  compdef _shmctl shmctl
fi
)";

constexpr const char* kFish = R"(# shmctl in fish: shmctl completion fish | source
function __shmctl_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        switch $line
            case ':0'
                __fish_complete_path (commandline -ct)
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c shmctl -f -a '(__shmctl_complete)'
)";

const char* ScriptOf(const std::string& shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
}

}  // namespace

Completion Complete(const CLI::App& program, const Words& words) {
  const CLI::App& app = CommandOf(program, words);
  const Typed typed = ReadTyped(words);
  Completer completer(typed);
  const CLI::Option* option =
      typed.flag.starts_with('-') ? app.get_option_no_throw(typed.flag) : nullptr;
  if (option && option->get_items_expected_max() > 0) {
    completer.AddValues(*option);
    return completer.Take();
  }
  if (!typed.value.starts_with('-')) completer.AddCommandsAndValues(app);
  // All there is to offer, or what was begun.
  if (completer.empty() && typed.before.empty()) completer.AddFlags(app);
  return completer.Take();
}

void WriteCompletion(const Completion& completion, std::ostream& out) {
  for (const Candidate& candidate : completion.candidates) {
    out << candidate.word << "\t" << candidate.help << "\n";
  }
  out << (completion.files ? ":0\n" : ":4\n");
}

Command AddCompletion(CLI::App& program) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* app = program.add_subcommand(
      "completion", "A script by which bash, zsh or fish completes shmctl's command lines.");
  app->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app->footer(
      "  source <(shmctl completion bash)      # in ~/.bashrc\n"
      "  source <(shmctl completion zsh)       # in ~/.zshrc, after compinit\n"
      "  shmctl completion fish | source       # in ~/.config/fish/config.fish\n"
      "Exit codes: 0 done, 2 bad input\n");
  return {app, [shell](const Streams& streams) {
            streams.out << ScriptOf(*shell);
            return kDone;
          }};
}

}  // namespace shm::cli
