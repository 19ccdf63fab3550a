#include "core/engine_names.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "core/engine_args.h"

namespace shm {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// A name as a parser compares it: where underscores and dashes mean the same, a long one has
// dashes alone. Compared letter by letter, since every word of every container comes by here.
class Name {
 public:
  Name(std::string_view text, bool either_dash)
      : text_(text), dashes_(either_dash && text.starts_with("--")) {}

  std::size_t size() const { return text_.size(); }
  char operator[](std::size_t at) const { return dashes_ && text_[at] == '_' ? '-' : text_[at]; }
  bool StartsWith(const Name& prefix) const {
    if (size() < prefix.size()) return false;
    // From behind: in front all have the same dashes.
    for (std::size_t i = prefix.size(); i-- > 0;) {
      if ((*this)[i] != prefix[i]) return false;
    }
    return true;
  }
  bool operator==(const Name& other) const { return size() == other.size() && StartsWith(other); }

 private:
  std::string_view text_;
  bool dashes_;
};

constexpr bool IsDegree(Meaning meaning) {
  return meaning == Meaning::kTensorParallel || meaning == Meaning::kPipelineParallel ||
         meaning == Meaning::kDataParallel;
}

constexpr auto kDegreeFlags = [] {
  constexpr auto is_degree = [](const EngineFlag& flag) { return IsDegree(flag.meaning); };
  constexpr auto count = std::count_if(std::begin(kEngineFlags), std::end(kEngineFlags), is_degree);
  std::array<const EngineFlag*, count> flags{};
  std::size_t at = 0;
  for (const EngineFlag& flag : kEngineFlags) {
    if (is_degree(flag)) flags[at++] = &flag;
  }
  return flags;
}();

// "-tp4": argparse knows no such spelling, so the engines refuse it.
bool IsJoinedDegree(std::string_view name) {
  const bool degree = StartsWith(name, "-tp") || StartsWith(name, "-pp") || StartsWith(name, "-dp");
  return degree && name.size() > 3 &&
         name.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

}  // namespace

const ParserRule& RuleOf(Parser parser) {
  for (const ParserRule& rule : kParserRules) {
    if (rule.parser == parser) return rule;
  }
  return kParserRules[std::size(kParserRules) - 1];
}

bool SameName(const ParserRule& rule, std::string_view a, std::string_view b) {
  return Name(a, rule.either_dash) == Name(b, rule.either_dash);
}

FlagMatch FindFlag(const ParserRule& rule, std::string_view name) {
  const Name spelled(name, rule.either_dash);
  const EngineFlag* abbreviated = nullptr;
  const EngineFlag* letter = nullptr;
  for (const EngineFlag& flag : kEngineFlags) {
    if (flag.parser != rule.flags) continue;
    const Name known(flag.name, false);
    if (known == spelled) return {&flag, false};
    if (known.StartsWith(spelled) && spelled.StartsWith(Name(flag.shortest, false))) {
      abbreviated = &flag;
    }
    if (flag.name.size() == 2 && flag.takes_value && spelled.StartsWith(known)) letter = &flag;
  }
  if (!rule.abbreviates) return {};
  if (abbreviated != nullptr) return {abbreviated, false};
  return {letter, letter != nullptr};
}

bool IsDegreeElsewhere(const ParserRule& rule, std::string_view name) {
  if (rule.engine == Engine::kUnknown) return false;
  if (IsJoinedDegree(name)) return true;
  // "--tensor-parallel-size 4" as one word.
  const std::size_t blank = name.find(' ');
  if (blank != std::string_view::npos && FindFlag(rule, name.substr(0, blank)).flag != nullptr) {
    return IsDegree(FindFlag(rule, name.substr(0, blank)).flag->meaning);
  }
  const Name dashed(name, true);
  const bool speaks_of_degrees = name.find("parallel") != std::string_view::npos;
  for (const EngineFlag* flag : kDegreeFlags) {
    const Name known(flag->name, true);
    if (known == dashed) return true;
    // An abbreviation that fits several flags of this parser, or that it does not take.
    const bool own = flag->parser == rule.flags && speaks_of_degrees;
    if (own && known.StartsWith(dashed)) return true;
  }
  return false;
}

}  // namespace shm
