// The words of a shell's script: quotes and redirections. The other parts of
// core/shell_script.h are shell_script.cc and shell_expand.cc.
#include <algorithm>
#include <utility>

#include "core/shell_letters.h"
#include "core/shell_script.h"

namespace shm {

using shell::IsBlank;

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
  while (at_ < script_.size() && script_[at_] != '"' && !full_) {
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

void ShellScript::AddText(std::string_view text, bool literal) {
  if (literal && literal_prefix_ == word_.text.size() && all_literal_) {
    literal_prefix_ += text.size();
  } else if (!literal) {
    all_literal_ = false;
  }
  in_word_ = true;
  if (Spend(text.size())) word_.text.append(text);
}

}  // namespace shm
