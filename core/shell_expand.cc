// The expansions of a shell's script: $NAME, ${NAME:-default}, $1 and "$@", $((sum)), and what
// cannot be told. The words themselves are read in shell_words.cc.
#include <algorithm>
#include <utility>

#include "core/shell_arithmetic.h"
#include "core/shell_letters.h"
#include "core/shell_script.h"

namespace shm {

using shell::IsBlank;
using shell::NameLength;

void ShellScript::ReadDollar(bool quoted) {
  const std::string_view rest = script_.substr(at_ + 1);
  if (rest.empty()) {
    AddText("$", true);
    ++at_;
  } else if (rest.front() == '(') {
    ReadParentheses(quoted);
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

// $(command) is never run; $((sum)) is worked out where it can be.
void ShellScript::ReadParentheses(bool quoted) {
  const std::size_t close = ClosingParenthesis(at_ + 1);
  const std::string_view reference = script_.substr(at_, close + 1 - at_);
  at_ = close + 1;
  std::optional<std::string> value;
  constexpr std::size_t kFrame = 5;  // $(( and ))
  if (reference.size() > kFrame && reference.substr(0, 3) == "$((" &&
      reference.substr(reference.size() - 2) == "))") {
    const auto number = EvaluateArithmetic(reference.substr(3, reference.size() - kFrame), *env_);
    if (number) value = std::to_string(*number);
  }
  Expand(value, reference, quoted);
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
  for (std::size_t i = 1; i < positional_.size() && !full_; ++i) {
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

}  // namespace shm
