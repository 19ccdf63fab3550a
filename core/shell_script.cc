#include "core/shell_script.h"

#include <algorithm>

namespace shm {
namespace {

// Bytes, a word counted as kWordCost more: a script can neither multiply itself nor fill the
// memory.
constexpr std::size_t kMaxProduced = 2 * 1024 * 1024;
constexpr std::size_t kWordCost = 8;
constexpr std::size_t kMaxName = 256;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

std::size_t NameLength(std::string_view text) {
  if (text.empty() || !IsNameStart(text.front())) return 0;
  std::size_t length = 1;
  while (length < text.size() && IsNamePart(text[length])) ++length;
  return length;
}

// The length of NAME in "NAME=...", 0 where it is no assignment.
std::size_t AssignedName(std::string_view text) {
  const std::size_t length = NameLength(text.substr(0, kMaxName));
  return length > 0 && length < text.size() && text[length] == '=' ? length : 0;
}

}  // namespace

ShellScript::ShellScript(std::string_view script, std::vector<Word> positional, PodEnv* env,
                         std::function<void(SimpleCommand)> emit)
    : script_(script), positional_(std::move(positional)), env_(env), emit_(std::move(emit)) {}

bool ShellScript::Read() {
  while (at_ < script_.size() && produced_ <= kMaxProduced) {
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
  return produced_ <= kMaxProduced;
}

void ShellScript::ReadWordCharacter() {
  const char c = script_[at_];
  if (c == '\'') {
    ReadSingleQuotes();
  } else if (c == '"') {
    ReadDoubleQuotes();
  } else if (c == '$') {
    ReadDollar(false);
  } else if (c == '`') {
    ReadBackquotes(false);
  } else if (c == '\\') {
    ++at_;
    if (script_.substr(at_, 2) == "\r\n") ++at_;
    if (at_ < script_.size() && script_[at_] != '\n') {
      AddText(script_.substr(at_, 1), false);
    }
    ++at_;
  } else {
    AddText(script_.substr(at_, 1), true);
    ++at_;
  }
}

void ShellScript::ReadSingleQuotes() {
  const std::size_t close = script_.find('\'', at_ + 1);
  const std::size_t end = std::min(close, script_.size());
  AddText(script_.substr(at_ + 1, end - at_ - 1), false);
  at_ = end + 1;
}

void ShellScript::ReadDoubleQuotes() {
  AddText("", false);
  ++at_;
  while (at_ < script_.size() && script_[at_] != '"') {
    const char c = script_[at_];
    if (c == '$') {
      ReadDollar(true);
    } else if (c == '`') {
      ReadBackquotes(true);
    } else if (c == '\\' && at_ + 1 < script_.size()) {
      const char next = script_[at_ + 1];
      if (next == '$' || next == '`' || next == '"' || next == '\\') {
        AddText(script_.substr(at_ + 1, 1), false);
      } else if (next != '\n') {
        AddText(script_.substr(at_, 2), false);
      }
      at_ += 2;
    } else {
      AddText(script_.substr(at_, 1), false);
      ++at_;
    }
  }
  ++at_;
}

void ShellScript::ReadDollar(bool quoted) {
  const std::string_view rest = script_.substr(at_ + 1);
  if (rest.empty()) {
    AddText("$", true);
    ++at_;
  } else if (rest.front() == '(') {
    const std::size_t close = ClosingParenthesis(at_ + 1);
    AddUnresolved(script_.substr(at_, close + 1 - at_), quoted);
    at_ = close + 1;
  } else if (rest.front() == '{') {
    ReadBraces(quoted);
  } else if (const std::size_t length = NameLength(rest); length > 0) {
    const std::string_view name = rest.substr(0, length);
    Expand(env_->Value(name), script_.substr(at_, length + 1), quoted);
    at_ += length + 1;
  } else if (std::string_view("0123456789@*").find(rest.front()) != std::string_view::npos) {
    ExpandPositional(rest.front(), script_.substr(at_, 2), quoted);
    at_ += 2;
  } else if (std::string_view("#?$!-").find(rest.front()) != std::string_view::npos) {
    AddUnresolved(script_.substr(at_, 2), quoted);
    at_ += 2;
  } else {
    AddText("$", true);
    ++at_;
  }
}

void ShellScript::ReadBraces(bool quoted) {
  const std::size_t close = ClosingBrace(at_ + 1);
  if (close < at_ + 2 || script_[close] != '}') {
    AddUnresolved(script_.substr(at_), quoted);
    at_ = script_.size();
    return;
  }
  const std::string_view reference = script_.substr(at_, close + 1 - at_);
  const std::string_view inner = script_.substr(at_ + 2, close - at_ - 2);
  at_ = close + 1;
  if (inner == "@" || inner == "*" ||
      (inner.size() == 1 && inner.front() >= '0' && inner.front() <= '9')) {
    ExpandPositional(inner.front(), reference, quoted);
    return;
  }
  const std::string_view name = inner.substr(0, NameLength(inner));
  std::string_view rest = inner.substr(name.size());
  if (name.empty() || (env_->IsUnknown(name) && !rest.empty())) {
    AddUnresolved(reference, quoted);
    return;
  }
  std::optional<std::string> value = env_->Value(name);
  if (rest.empty()) {
    Expand(value, reference, quoted);
    return;
  }
  const bool colon = rest.front() == ':';
  if (colon) rest.remove_prefix(1);
  const char action = rest.empty() ? '\0' : rest.front();
  std::string_view operand = rest.empty() ? rest : rest.substr(1);
  if (operand.size() >= 2 && operand.front() == '"' && operand.back() == '"') {
    operand = operand.substr(1, operand.size() - 2);
  }
  const bool set = value.has_value() && !(colon && value->empty());
  const bool plain = operand.find_first_of("$`\\'\"") == std::string_view::npos;
  if (action == '?') {
    Expand(value, reference, quoted);
  } else if ((action == '-' || action == '=') && set) {
    Expand(value, reference, quoted);
  } else if ((action == '-' || action == '=') && plain) {
    Expand(std::string(operand), reference, quoted);
    if (action == '=') Assign(std::string(name), std::string(operand));
  } else if (action == '+' && value.has_value() && (!set || plain)) {
    Expand(set ? std::string(operand) : std::string(), reference, quoted);
  } else {
    AddUnresolved(reference, quoted);
  }
}

void ShellScript::ReadBackquotes(bool quoted) {
  const std::size_t close = std::min(script_.find('`', at_ + 1), script_.size() - 1);
  AddUnresolved(script_.substr(at_, close + 1 - at_), quoted);
  at_ = close + 1;
}

// Takes < > >> >| >& <& << <<- <<< with a file descriptor before it; what follows is no argument.
void ShellScript::ReadRedirection() {
  const bool descriptor = in_word_ && all_literal_ &&
                          std::all_of(word_.text.begin(), word_.text.end(),
                                      [](char c) { return c >= '0' && c <= '9'; });
  if (descriptor) {
    word_ = Word();
    in_word_ = false;
  }
  EndWord();
  const std::size_t start = at_;
  while (at_ < script_.size() && (script_[at_] == '<' || script_[at_] == '>')) ++at_;
  const std::string_view arrows = script_.substr(start, at_ - start);
  if (at_ < script_.size() && (script_[at_] == '&' || script_[at_] == '|')) ++at_;
  take_delimiter_ = arrows == "<<";
  if (take_delimiter_ && at_ < script_.size() && script_[at_] == '-') ++at_;
  while (at_ < script_.size() && IsBlank(script_[at_])) ++at_;
  skip_word_ = true;
}

void ShellScript::SkipHereDocuments() {
  for (const std::string& delimiter : here_delimiters_) {
    while (at_ < script_.size()) {
      const std::size_t end = std::min(script_.find('\n', at_), script_.size());
      std::string_view line = script_.substr(at_, end - at_);
      at_ = std::min(end + 1, script_.size());
      while (!line.empty() && line.front() == '\t') line.remove_prefix(1);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line == delimiter) break;
    }
  }
  here_delimiters_.clear();
}

void ShellScript::SkipComment() { at_ = std::min(script_.find('\n', at_), script_.size()); }

std::size_t ShellScript::ClosingParenthesis(std::size_t open) const {
  int depth = 0;
  for (std::size_t i = open; i < script_.size(); ++i) {
    const char c = script_[i];
    if (c == '\\') {
      ++i;
    } else if (c == '\'') {
      i = std::min(script_.find('\'', i + 1), script_.size());
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return i;
    }
  }
  return script_.size() - 1;
}

std::size_t ShellScript::ClosingBrace(std::size_t open) const {
  int depth = 0;
  for (std::size_t i = open; i < script_.size(); ++i) {
    const char c = script_[i];
    if (c == '\\') {
      ++i;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i;
    }
  }
  return script_.size() - 1;
}

void ShellScript::Expand(const std::optional<std::string>& value, std::string_view reference,
                         bool quoted) {
  if (!value) {
    AddUnresolved(reference, quoted);
  } else if (quoted || InAssignment()) {
    AddText(*value, false);
  } else {
    AddFields(*value);
  }
}

void ShellScript::ExpandPositional(char which, std::string_view reference, bool quoted) {
  if (which != '@' && which != '*') {
    const std::size_t index = static_cast<std::size_t>(which - '0');
    if (index >= positional_.size()) return;
    const Word& word = positional_[index];
    Expand(word.known() ? std::optional(word.text) : std::nullopt, reference, quoted);
    return;
  }
  for (std::size_t i = 1; i < positional_.size() && produced_ <= kMaxProduced; ++i) {
    if (i > 1) {
      if (InAssignment()) {
        AddText(" ", false);
      } else {
        EndWord();
      }
    }
    const Word& word = positional_[i];
    if (word.known()) {
      AddText(word.text, false);
    } else {
      AddUnresolved(word.text, !word.may_split);
    }
  }
}

void ShellScript::AddText(std::string_view text, bool literal) {
  if (literal && literal_prefix_ == word_.text.size() && all_literal_) {
    literal_prefix_ += text.size();
  } else if (!literal) {
    all_literal_ = false;
  }
  in_word_ = true;
  produced_ += text.size();
  if (produced_ <= kMaxProduced) word_.text.append(text);
}

void ShellScript::AddUnresolved(std::string_view reference, bool quoted) {
  AddText(reference, false);
  if (word_.unresolved.empty()) word_.unresolved = reference;
  if (!quoted && !InAssignment()) word_.may_split = true;
}

// An unquoted expansion: blanks in the value separate words.
void ShellScript::AddFields(std::string_view text) {
  for (const char c : text) {
    if (IsBlank(c) || c == '\n') {
      EndWord();
    } else {
      AddText(std::string_view(&c, 1), false);
    }
  }
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
  produced_ += kWordCost;
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
  if (before_ == Operator::kNone && next != Operator::kOther && depth_ == 0) ForgetConditional();
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
    std::optional<std::optional<std::string>> previous;
    if (env_->Has(name)) previous = env_->Value(name);
    conditional_.emplace(name, std::move(previous));
  }
  env_->Set(name, std::move(value));
}

void ShellScript::ForgetConditional() {
  for (const auto& [name, previous] : conditional_) {
    const bool same = previous && env_->Value(name) == *previous;
    if (!same) env_->Set(name, std::nullopt);
  }
  conditional_.clear();
}

}  // namespace shm
