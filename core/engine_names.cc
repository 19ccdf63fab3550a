#include "core/engine_names.h"

#include <algorithm>
#include <string>

#include "core/engine_args.h"

namespace shm {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// A long name with dashes alone.
std::string Dashed(std::string_view name) {
  std::string result(name);
  if (StartsWith(name, "--")) std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

bool IsDegree(Meaning meaning) {
  return meaning == Meaning::kTensorParallel || meaning == Meaning::kPipelineParallel ||
         meaning == Meaning::kDataParallel;
}

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
  return rule.either_dash ? Dashed(a) == Dashed(b) : a == b;
}

FlagMatch FindFlag(const ParserRule& rule, std::string_view name) {
  const std::string spelled = rule.either_dash ? Dashed(name) : std::string(name);
  const EngineFlag* abbreviated = nullptr;
  const EngineFlag* letter = nullptr;
  for (const EngineFlag& flag : kEngineFlags) {
    if (flag.parser != rule.flags) continue;
    if (flag.name == spelled) return {&flag, false};
    if (StartsWith(flag.name, spelled) && StartsWith(spelled, flag.shortest)) abbreviated = &flag;
    if (flag.name.size() == 2 && flag.takes_value && StartsWith(spelled, flag.name)) letter = &flag;
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
  const std::string dashed = Dashed(name);
  for (const EngineFlag& flag : kEngineFlags) {
    if (!IsDegree(flag.meaning)) continue;
    const std::string known = Dashed(flag.name);
    if (known == dashed) return true;
    // An abbreviation that fits several flags of this parser, or that it does not take.
    const bool own = flag.parser == rule.flags && dashed.find("parallel") != std::string::npos;
    if (own && StartsWith(known, dashed)) return true;
  }
  return false;
}

}  // namespace shm
