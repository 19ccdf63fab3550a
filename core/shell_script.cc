// The commands of a shell's script: lists, keywords, assignments. Its words are in shell_words.cc,
// their expansions in shell_expand.cc.
#include "core/shell_script.h"

#include <algorithm>

#include "core/shell_letters.h"

namespace shm {

using shell::AssignedName;
using shell::IsBlank;

ShellScript::ShellScript(std::string_view script, std::vector<Word> positional, std::size_t reading,
                         PodEnv* env, std::size_t* room, std::function<void(SimpleCommand)> emit)
    : script_(script),
      positional_(std::move(positional)),
      reading_(reading),
      env_(env),
      room_(room),
      emit_(std::move(emit)) {}

bool ShellScript::Read() {
  while (at_ < script_.size() && !full_) {
    const char c = script_[at_];
    if (IsBlank(c)) {
      EndWord();
      ++at_;
    } else if (c == '\n') {
      EndCommand(Operator::kNone);
      ++at_;
      SkipHereDocuments();
    } else if (c == '#' && !in_word_) {
      SkipComment();
    } else if (c == '&' || c == '|') {
      // 2>&1 and &> were taken by ReadRedirection.
      const bool twice = at_ + 1 < script_.size() && script_[at_ + 1] == c;
      if (c == '&' && !twice && at_ + 1 < script_.size() && script_[at_ + 1] == '>') {
        ++at_;
        ReadRedirection();
        continue;
      }
      EndCommand(!twice ? (c == '|' ? Operator::kOther : Operator::kNone)
                        : (c == '&' ? Operator::kAnd : Operator::kOr));
      at_ += twice ? 2 : 1;
    } else if (c == ';' || c == '(' || c == ')') {
      EndCommand(c == ';' ? Operator::kNone : Operator::kOther);
      ++at_;
    } else if (c == '<' || c == '>') {
      ReadRedirection();
    } else {
      ReadWordCharacter();
    }
  }
  EndCommand(Operator::kNone);
  return !full_;
}

// Whether there was room for it.
bool ShellScript::Spend(std::size_t bytes) {
  full_ = full_ || bytes > *room_;
  *room_ -= std::min(bytes, *room_);
  return !full_;
}

bool ShellScript::InAssignment() const {
  const std::size_t name = AssignedName(word_.text);
  if (name == 0 || name >= literal_prefix_) return false;
  if (command_.words.empty()) return true;
  const std::string& first = command_.words.front().text;
  return first == "export" || first == "declare" || first == "readonly" || first == "local" ||
         first == "typeset";
}

void ShellScript::EndWord() {
  if (!in_word_) return;
  Spend(kWordCost);
  Word word = std::move(word_);
  const bool assignment = command_.words.empty() && AssignedName(word.text) > 0 &&
                          AssignedName(word.text) < literal_prefix_;
  const bool literal = all_literal_;
  word_ = Word();
  in_word_ = false;
  literal_prefix_ = 0;
  all_literal_ = true;
  if (skip_word_) {
    if (take_delimiter_) here_delimiters_.push_back(word.text);
    skip_word_ = take_delimiter_ = false;
    return;
  }
  if (assignment) {
    const std::size_t name = AssignedName(word.text);
    command_.assignments.emplace_back(
        word.text.substr(0, name),
        word.known() ? std::optional(word.text.substr(name + 1)) : std::nullopt);
    return;
  }
  if (literal && command_.words.empty() && TakeKeyword(word.text)) return;
  command_.words.push_back(std::move(word));
}

// Words of the grammar that stand before a command.
bool ShellScript::TakeKeyword(const std::string& word) {
  if (word == "if" || word == "while" || word == "until") {
    ++depth_;
    return true;
  }
  if (word == "fi" || word == "done" || word == "esac") {
    depth_ = std::max(0, depth_ - 1);
    return true;
  }
  return word == "then" || word == "else" || word == "elif" || word == "do" || word == "{" ||
         word == "}" || word == "!" || word == "time";
}

void ShellScript::EndCommand(Operator next) {
  EndWord();
  skip_word_ = take_delimiter_ = false;
  if (command_.words.empty()) {
    for (auto& [name, value] : command_.assignments) Assign(name, std::move(value));
  } else {
    RunBuiltin();
    if (!command_.words.empty()) emit_(std::move(command_));
  }
  command_ = SimpleCommand();
  before_ = next == Operator::kAnd || next == Operator::kOr ? next : Operator::kNone;
  if (before_ == Operator::kNone && next != Operator::kOther && depth_ == 0) SettleConditional();
}

// The builtins that change what later words mean.
void ShellScript::RunBuiltin() {
  const std::vector<Word>& words = command_.words;
  const std::string& name = words.front().text;
  if (name == "export" || name == "declare" || name == "readonly" || name == "local" ||
      name == "typeset") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t length = AssignedName(words[i].text);
      if (length == 0) continue;
      Assign(words[i].text.substr(0, length),
             words[i].known() ? std::optional(words[i].text.substr(length + 1)) : std::nullopt);
    }
    command_.words.clear();
  } else if (name == "unset" || name == "read") {
    for (std::size_t i = 1; i < words.size(); ++i) Assign(words[i].text, std::nullopt);
    command_.words.clear();
  } else if (name == "for" || name == "case") {
    ++depth_;
    if (name == "for" && words.size() > 1) Assign(words[1].text, std::nullopt);
    command_.words.clear();
  } else if (name == "set") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i].text != "--") continue;
      std::vector<Word> positional(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      positional_ = std::move(positional);
      break;
    }
    command_.words.clear();
  }
}

void ShellScript::Assign(const std::string& name, std::optional<std::string> value) {
  if (value && value->size() > PodEnv::kMaxValueBytes) value.reset();
  if (depth_ > 0 || before_ != Operator::kNone) {
    auto& values = conditional_[name];
    if (values.empty()) values.push_back(env_->Has(name) ? env_->Value(name) : std::string());
    const bool another = std::find(values.begin(), values.end(), value) == values.end();
    if (another && values.size() <= kMostReadings) values.push_back(value);
  }
  env_->Set(name, std::move(value));
}

void ShellScript::SettleConditional() {
  for (auto& [name, values] : conditional_) {
    if (values.size() > kMostReadings) values = {std::nullopt};
    readings_ = std::max(readings_, values.size());
    env_->Set(name, std::move(values[std::min(reading_, values.size() - 1)]));
  }
  conditional_.clear();
}

}  // namespace shm
