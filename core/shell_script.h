// Reads the script of one `sh -c`; the part of core/command_line.h that knows the shell's grammar.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/command_line.h"

namespace shm {

// Reads one script and hands each simple command to `emit`. `env` is changed by its assignments. A
// variable that is assigned on one path only (if, case, a loop, after && or ||) has after that path
// one of the values that it may have; one that was not in the environment may be empty. Not
// thread-safe; one object reads one script once.
class ShellScript {
 public:
  // positional: what follows the script on the command line, $0 first. reading: which of the values
  // of such a variable it has, and room, as in ReadCommandLine.
  ShellScript(std::string_view script, std::vector<Word> positional, std::size_t reading,
              PodEnv* env, std::size_t* room, std::function<void(SimpleCommand)> emit);

  // False: the script expands to more than there was room for, and its end was left out.
  bool Read();

  // The most values that a variable may have, 1 to kMostReadings.
  std::size_t readings() const { return readings_; }

 private:
  enum class Operator { kNone, kAnd, kOr, kOther };

  void ReadWordCharacter();
  void ReadSingleQuotes();
  void ReadDoubleQuotes();
  void ReadDollar(bool quoted);
  void ReadParentheses(bool quoted);
  void ReadBraces(bool quoted);
  void ReadBackquotes(bool quoted);
  void ReadRedirection();
  void SkipHereDocuments();
  void SkipComment();
  std::size_t ClosingParenthesis(std::size_t open) const;
  std::size_t ClosingBrace(std::size_t open) const;

  bool Spend(std::size_t bytes);
  void Expand(const std::optional<std::string>& value, std::string_view reference, bool quoted);
  void ExpandPositional(char which, std::string_view reference, bool quoted);
  void AddText(std::string_view text, bool literal);
  void AddUnresolved(std::string_view reference, bool quoted);
  void AddFields(std::string_view text);

  bool InAssignment() const;
  void EndWord();
  void EndCommand(Operator next);
  bool TakeKeyword(const std::string& word);
  void RunBuiltin();
  void Assign(const std::string& name, std::optional<std::string> value);
  void SettleConditional();

  std::string_view script_;
  std::size_t at_ = 0;
  std::vector<Word> positional_;
  std::size_t reading_;
  PodEnv* env_;
  std::size_t* room_;
  std::function<void(SimpleCommand)> emit_;

  Word word_;
  bool in_word_ = false;
  std::size_t literal_prefix_ = 0;  // bytes of word_ that were written plainly
  bool all_literal_ = true;
  bool skip_word_ = false;  // the target of a redirection
  SimpleCommand command_;
  std::vector<std::string> here_delimiters_;
  bool take_delimiter_ = false;

  int depth_ = 0;  // of if, case, for, while, until
  Operator before_ = Operator::kNone;
  // The values that a conditional variable may have, that before first; nothing is not to be told.
  std::map<std::string, std::vector<std::optional<std::string>>> conditional_;
  std::size_t readings_ = 1;
  bool full_ = false;  // there was no room for something
};

}  // namespace shm
