#include "core/engine_args.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/engine_launcher.h"
#include "core/engine_names.h"
#include "core/engine_offload.h"
#include "core/engine_programs.h"

namespace shm {
namespace {

constexpr std::size_t kShownBytes = 80;

std::string Shown(std::string_view text) {
  return text.size() <= kShownBytes ? std::string(text)
                                    : std::string(text.substr(0, kShownBytes)) + "…";
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool Starts(const EngineProgram& program, const std::vector<Word>& words, std::size_t at) {
  const std::string_view text = words[at].text;
  switch (program.kind) {
    case EngineProgram::Kind::kBinary:
      return text.ends_with(program.name) && BaseName(text) == program.name &&
             (program.next.empty() ||
              (at + 1 < words.size() && words[at + 1].text == program.next));
    case EngineProgram::Kind::kModule:
      return at > 0 && words[at - 1].text == "-m" && StartsWith(text, program.name);
    case EngineProgram::Kind::kPath:
      return !StartsWith(text, "-") && Contains(text, program.name);
  }
  return false;
}

struct Found {
  const EngineProgram* program;
  std::size_t at;
};

std::optional<Found> FindProgram(const std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const EngineProgram& program : kEnginePrograms) {
      if (Starts(program, words, i)) return Found{&program, i};
    }
  }
  return std::nullopt;
}

class FlagReader {
  static constexpr std::size_t kMostNamed = 5;  // of arguments that cannot be told

 public:
  FlagReader(EngineCommand* result, std::vector<std::string>* warnings)
      : result_(result), rule_(RuleOf(result->parser)), warnings_(warnings) {}

  void Read(const std::vector<Word>& words, std::size_t first) {
    std::vector<std::string> unread;
    for (std::size_t i = first; i < words.size(); ++i) {
      const Word& word = words[i];
      if (word.text == "--" && result_->engine != Engine::kUnknown) break;
      const bool may_be_value = i > first && TakesNext(words[i - 1].text);
      // argparse takes no word with a blank in it for a flag.
      const std::string_view text = word.text;
      const bool blank = Contains(text.substr(0, text.find('=')), " ");
      if (StartsWith(text, "-") && !(blank && may_be_value)) {
        i += ReadFlag(word, i + 1 < words.size() ? &words[i + 1] : nullptr);
      } else if (i != first && !may_be_value && MayBeFlags(word)) {
        NoteUnread(Shown(word.unresolved), &unread);
      }
    }
    WarnOfUnread(unread);
  }

 private:
  // A flag whose value, if it has any, is the next word.
  static bool TakesNext(std::string_view word) {
    return StartsWith(word, "-") && word.find_first_of("= ") == std::string_view::npos;
  }

  // Nothing but a reference, or one that may become several words.
  static bool MayBeFlags(const Word& word) {
    return word.may_split || (!word.known() && word.text == word.unresolved);
  }

  // The words that it took beside its own.
  std::size_t ReadFlag(const Word& word, const Word* next) {
    const std::string_view text = word.text;
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const FlagMatch match = FindFlag(rule_, name);
    if (match.flag == nullptr) {
      if (IsDegreeElsewhere(rule_, name)) RefuseSpelling(name);
    } else if (!match.flag->takes_value) {
      result_->settings[match.flag->meaning] = {"1", std::string(match.flag->name)};
    } else if (match.joined) {
      Set(*match.flag, match.flag->name, word, text.substr(match.flag->name.size()));
    } else if (equals != std::string_view::npos) {
      Set(*match.flag, name, word, text.substr(equals + 1));
    } else if (next != nullptr && !StartsWith(next->text, "--")) {
      Set(*match.flag, name, *next, next->text);
      return 1;
    } else {
      Refuse(*match.flag, name, " has no value");
    }
    return 0;
  }

  void Set(const EngineFlag& flag, std::string_view name, const Word& word,
           std::string_view value) {
    // Of a rank it counts that there is one. Most transfer configs take nothing from /dev/shm.
    if (word.known() || flag.meaning == Meaning::kDataParallelRank ||
        (flag.meaning == Meaning::kKvTransferConfig && !SpeaksOfOffloading(value))) {
      result_->settings[flag.meaning] = {std::string(value), Shown(name)};
    } else {
      Refuse(flag, name,
             "=" + Shown(value) + " cannot be told: " + Shown(word.unresolved) +
                 " is not set to a value in the pod");
    }
  }

  void Refuse(const EngineFlag& flag, std::string_view name, const std::string& why) {
    result_->settings[flag.meaning] = {std::nullopt, Shown(name)};
    warnings_->push_back(Shown(name) + why);
  }

  // One more than are named tells that there are more.
  static void NoteUnread(std::string reference, std::vector<std::string>* unread) {
    const bool noted = std::find(unread->begin(), unread->end(), reference) != unread->end();
    if (!noted && unread->size() <= kMostNamed) unread->push_back(std::move(reference));
  }

  void WarnOfUnread(const std::vector<std::string>& unread) {
    if (unread.empty()) return;
    result_->unread = true;
    std::string names = unread.front();
    for (std::size_t i = 1; i < std::min(unread.size(), kMostNamed); ++i) names += ", " + unread[i];
    if (unread.size() > kMostNamed) names += ", …";
    warnings_->push_back("arguments in " + names + " cannot be told: " +
                         (unread.size() == 1 ? "it is not set to a value in the pod"
                                             : "they are not set to values in the pod"));
  }

  void RefuseSpelling(std::string_view name) {
    result_->unread = true;
    const std::string_view engine = rule_.parser == Parser::kHuggingFaceServer
                                        ? "KServe's Hugging Face server"
                                        : EngineName(rule_.engine);
    warnings_->push_back(Shown(name) + " is no spelling that " + std::string(engine) + " knows");
  }

  EngineCommand* result_;
  const ParserRule& rule_;
  std::vector<std::string>* warnings_;
};

void ReadVariables(const SimpleCommand& command, const PodEnv& env, EngineCommand* result,
                   std::vector<std::string>* warnings) {
  for (const EngineVariable& variable : kEngineVariables) {
    if (variable.parser != result->parser || result->settings.count(variable.meaning) > 0) continue;
    const std::string name(variable.name);
    std::optional<std::string> value = env.Value(name);
    bool unknown = env.IsUnknown(name);
    for (const auto& [assigned, text] : command.assignments) {
      if (assigned != name) continue;
      value = text;
      unknown = !text.has_value();
    }
    if (unknown) warnings->push_back(name + " cannot be told from the pod");
    if (unknown || value) result->settings[variable.meaning] = {value, name};
  }
}

}  // namespace

std::optional<EngineCommand> ReadEngineCommand(const SimpleCommand& command, const PodEnv& env,
                                               std::vector<std::string>* warnings) {
  if (StartsNothing(command)) return std::nullopt;
  const std::optional<Found> found = FindProgram(command.words);
  if (!found) return std::nullopt;
  EngineCommand result;
  result.parser = found->program->parser;
  result.engine = RuleOf(result.parser).engine;
  const std::size_t first = found->at + (found->program->next.empty() ? 1 : 2);
  FlagReader(&result, warnings).Read(command.words, first);
  if (result.engine == Engine::kTensorRtLlm) {
    if (command.launcher) {
      ReadLauncher(*command.launcher, command.launcher->size(), &result, warnings);
    }
    ReadLauncher(command.words, found->at, &result, warnings);
  }
  ReadVariables(command, env, &result, warnings);
  return result;
}

EngineCommand ReadCommandAs(Parser parser, const SimpleCommand& command, const PodEnv& env,
                            std::vector<std::string>* warnings) {
  EngineCommand result;
  result.parser = parser;
  result.engine = RuleOf(parser).engine;
  FlagReader(&result, warnings).Read(command.words, 0);
  ReadVariables(command, env, &result, warnings);
  return result;
}

bool StartsNothing(const SimpleCommand& command) {
  // Programs of every image whose flags could be taken for an engine's: `ulimit -n 65536`.
  constexpr std::string_view kOthers[] = {
      "[",          "apk",        "apt",   "apt-get", "awk",
      "cat",        "cd",         "chmod", "chown",   "cp",
      "curl",       "cut",        "date",  "df",      "dnf",
      "echo",       "export",     "false", "find",    "free",
      "git",        "grep",       "head",  "hf",      "huggingface-cli",
      "hostname",   "ip",         "jq",    "kill",    "ln",
      "ls",         "mkdir",      "mount", "mv",      "nc",
      "nproc",      "nvidia-smi", "pip",   "pip3",    "pkill",
      "printf",     "ps",         "pwd",   "read",    "rm",
      "rsync",      "sed",        "set",   "sleep",   "sort",
      "ssh-keygen", "sysctl",     "tail",  "tar",     "tee",
      "test",       "touch",      "tr",    "trap",    "true",
      "ulimit",     "umask",      "unset", "uv",      "wait",
      "wc",         "wget",       "which", "yum"};
  const std::vector<Word>& words = command.words;
  // uv and its like also run things: `uv run vllm serve`.
  if (words.empty() || (words.size() > 1 && words[1].text == "run")) return false;
  const auto known =
      std::find(std::begin(kOthers), std::end(kOthers), BaseName(words.front().text));
  return known != std::end(kOthers);
}

Parser GuessParser(const std::vector<SimpleCommand>& commands, std::string_view image) {
  for (const EngineHint& hint : kImageHints) {
    if (Contains(image, hint.text)) return hint.parser;
  }
  for (const SimpleCommand& command : commands) {
    if (StartsNothing(command)) continue;
    for (const Word& word : command.words) {
      const std::string_view name = std::string_view(word.text).substr(0, word.text.find('='));
      for (const EngineHint& hint : kFlagHints) {
        if (SameName(RuleOf(hint.parser), name, hint.text)) return hint.parser;
      }
    }
  }
  return Parser::kAny;
}

}  // namespace shm
