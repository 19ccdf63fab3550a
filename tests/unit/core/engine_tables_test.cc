// The tables of flags, programs and variables.
#include <catch2/catch.hpp>

#include "core/engine_args.h"
#include "core/engine_names.h"
#include "core/engine_programs.h"

namespace shm {
namespace {

TEST_CASE("The tables are well formed and cite a source for every row") {
  for (const EngineFlag& flag : kEngineFlags) {
    INFO(flag.name);
    CHECK(flag.name.front() == '-');
    CHECK(flag.name.substr(0, flag.shortest.size()) == flag.shortest);
    CHECK_FALSE(flag.source.empty());
    const ParserRule& rule = RuleOf(flag.parser);
    CHECK(FindFlag(rule, flag.name).flag == &flag);
    // An abbreviation leads to its flag, where the parser takes any.
    CHECK((FindFlag(rule, flag.shortest).flag == &flag) ==
          (rule.abbreviates || flag.shortest == flag.name));
  }
  for (const ParserRule& rule : kParserRules) {
    CHECK(&RuleOf(rule.parser) == &rule);
    CHECK_FALSE(rule.source.empty());
  }
  for (const EngineProgram& program : kEnginePrograms) CHECK_FALSE(program.source.empty());
  for (const EngineVariable& variable : kEngineVariables) CHECK_FALSE(variable.source.empty());
}

}  // namespace
}  // namespace shm
