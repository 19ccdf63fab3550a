#include "core/engine_args.h"

#include <algorithm>
#include <array>

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
      return BaseName(text) == program.name &&
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

// Programs that only talk about others.
bool IsTalk(std::string_view program) {
  constexpr std::array<std::string_view, 8> kTalk = {"echo", "printf", "pip",     "pip3",
                                                     "uv",   "which",  "apt-get", "pkill"};
  return std::find(kTalk.begin(), kTalk.end(), BaseName(program)) != kTalk.end();
}

std::optional<Found> FindProgram(const std::vector<Word>& words) {
  // uv and its like also run things: `uv run vllm serve`.
  const bool runs = words.size() > 1 && words[1].text == "run";
  if (!words.empty() && IsTalk(words.front().text) && !runs) return std::nullopt;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const EngineProgram& program : kEnginePrograms) {
      if (Starts(program, words, i)) return Found{&program, i};
    }
  }
  return std::nullopt;
}

// "--Tensor_parallel" as the table spells it: underscores of long names are dashes.
std::string Normalised(std::string_view name) {
  std::string result(name);
  if (StartsWith(name, "--")) std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

const EngineFlag* FindFlag(Engine engine, std::string_view name) {
  const EngineFlag* abbreviated = nullptr;
  for (const EngineFlag& flag : kEngineFlags) {
    if (flag.engine != engine) continue;
    if (flag.name == name) return &flag;
    if (StartsWith(flag.name, name) && StartsWith(name, flag.shortest)) abbreviated = &flag;
  }
  return abbreviated;
}

// "-tp4": argparse knows no such spelling, so the engine refuses it.
bool IsJoined(std::string_view name) {
  const bool degree = StartsWith(name, "-tp") || StartsWith(name, "-pp") || StartsWith(name, "-dp");
  return degree && name.size() > 3 &&
         name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

class FlagReader {
 public:
  FlagReader(EngineCommand* result, std::vector<std::string>* warnings)
      : result_(result), warnings_(warnings) {}

  void Read(const std::vector<Word>& words, std::size_t first) {
    for (std::size_t i = first; i < words.size(); ++i) {
      const Word& word = words[i];
      if (word.text == "--" && result_->engine != Engine::kUnknown) return;
      if (!StartsWith(word.text, "-")) {
        const bool may_be_value = i == first || StartsWith(words[i - 1].text, "-");
        if (word.may_split && !may_be_value) Unread(word);
        continue;
      }
      const std::size_t equals = word.text.find('=');
      const std::string name = Normalised(std::string_view(word.text).substr(0, equals));
      const EngineFlag* flag = FindFlag(result_->engine, name);
      if (flag == nullptr) {
        if (IsJoined(name)) warnings_->push_back(Shown(word.text) + " is no spelling of a flag");
      } else if (!flag->takes_value) {
        result_->settings[flag->meaning] = {"1", std::string(name)};
      } else if (equals != std::string::npos) {
        Set(*flag, name, word, std::string_view(word.text).substr(equals + 1));
      } else if (i + 1 < words.size() && !StartsWith(words[i + 1].text, "--")) {
        ++i;
        Set(*flag, name, words[i], words[i].text);
      } else {
        Refuse(*flag, name, " has no value");
      }
    }
  }

 private:
  void Set(const EngineFlag& flag, const std::string& name, const Word& word,
           std::string_view value) {
    if (word.known()) {
      result_->settings[flag.meaning] = {std::string(value), name};
    } else {
      Refuse(flag, name,
             "=" + Shown(value) + " cannot be told: " + Shown(word.unresolved) +
                 " is not set to a value in the pod");
    }
  }

  void Refuse(const EngineFlag& flag, const std::string& name, const std::string& why) {
    result_->settings[flag.meaning] = {std::nullopt, name};
    warnings_->push_back(name + why);
  }

  void Unread(const Word& word) {
    warnings_->push_back("arguments in " + Shown(word.unresolved) +
                         " cannot be told: it is not set to a value in the pod");
  }

  EngineCommand* result_;
  std::vector<std::string>* warnings_;
};

// mpirun -n N, as Open MPI, MPICH and Slurm's srun spell it.
void ReadRanks(const std::vector<Word>& words, std::size_t end, EngineCommand* result,
               std::vector<std::string>* warnings) {
  constexpr std::array<std::string_view, 4> kLaunchers = {"mpirun", "mpiexec", "orterun",
                                                          "prterun"};
  constexpr std::array<std::string_view, 5> kFlags = {"-n", "-np", "--np", "--n", "-c"};
  std::size_t i = 0;
  while (i < end && std::find(kLaunchers.begin(), kLaunchers.end(), BaseName(words[i].text)) ==
                        kLaunchers.end()) {
    ++i;
  }
  for (; i + 1 < end; ++i) {
    if (std::find(kFlags.begin(), kFlags.end(), words[i].text) == kFlags.end()) continue;
    const Word& value = words[i + 1];
    if (value.known()) {
      result->settings[Meaning::kRanks] = {value.text, words[i].text};
    } else {
      result->settings[Meaning::kRanks] = {std::nullopt, words[i].text};
      warnings->push_back(words[i].text + " " + Shown(value.text) + " of mpirun cannot be told");
    }
  }
}

void ReadVariables(const SimpleCommand& command, const PodEnv& env, EngineCommand* result,
                   std::vector<std::string>* warnings) {
  for (const EngineVariable& variable : kEngineVariables) {
    const bool applies = variable.engine == result->engine &&
                         (variable.program.empty() || variable.program == result->program);
    if (!applies || result->settings.count(variable.meaning) > 0) continue;
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
  const std::optional<Found> found = FindProgram(command.words);
  if (!found) return std::nullopt;
  EngineCommand result;
  result.engine = found->program->engine;
  result.program = std::string(found->program->name);
  const std::size_t first = found->at + (found->program->next.empty() ? 1 : 2);
  FlagReader(&result, warnings).Read(command.words, first);
  if (result.engine == Engine::kTensorRtLlm) {
    ReadRanks(command.words, found->at, &result, warnings);
  }
  ReadVariables(command, env, &result, warnings);
  return result;
}

EngineCommand ReadCommandAs(Engine engine, const SimpleCommand& command,
                            std::vector<std::string>* warnings) {
  EngineCommand result;
  result.engine = engine;
  FlagReader(&result, warnings).Read(command.words, 0);
  return result;
}

Engine GuessEngine(const std::vector<SimpleCommand>& commands, std::string_view image) {
  for (const EngineHint& hint : kImageHints) {
    if (Contains(image, hint.text)) return hint.engine;
  }
  for (const SimpleCommand& command : commands) {
    for (const Word& word : command.words) {
      if (!StartsWith(word.text, "--")) continue;
      const std::string name =
          Normalised(std::string_view(word.text).substr(0, word.text.find('=')));
      for (const EngineHint& hint : kFlagHints) {
        if (name == hint.text) return hint.engine;
      }
    }
  }
  return Engine::kUnknown;
}

}  // namespace shm
