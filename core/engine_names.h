// Which flag a word names: spellings, abbreviations and joined values, as each parser takes them.
#pragma once

#include <string_view>

#include "core/engine_flags.h"

namespace shm {

struct FlagMatch {
  const EngineFlag* flag = nullptr;
  bool joined = false;  // the value follows the name without a break: "-n2"
};

// The flag that `name` (a word up to its "=") names for a parser; no flag where it names none of
// the table's.
FlagMatch FindFlag(const ParserRule& rule, std::string_view name);

// The name is one of a parallel degree, in a spelling that this parser does not take. Never so
// for an engine that is not known.
bool IsDegreeElsewhere(const ParserRule& rule, std::string_view name);

// Equal as the parser compares names.
bool SameName(const ParserRule& rule, std::string_view a, std::string_view b);

}  // namespace shm
