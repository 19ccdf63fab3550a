// What one engine's command sets: the flags of core/engine_flags.h, read from its words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/command_line.h"
#include "core/engine_flags.h"

namespace shm {

// A value as it was given, "1" for a switch. Nothing where it could not be told: the warning for
// that has been written.
struct Setting {
  std::optional<std::string> value;
  std::string spelling;  // "--tensor-parallel-size", "NUM_SHARD"
};

// A command that starts an engine.
struct EngineCommand {
  Parser parser = Parser::kAny;
  Engine engine = Engine::kUnknown;
  std::map<Meaning, Setting> settings;
  // Words that may be flags, or flags of a degree that the engine does not know; warned of.
  bool unread = false;
};

const ParserRule& RuleOf(Parser parser);

// The engine that a command starts, with its flags and variables; nothing for any other command.
std::optional<EngineCommand> ReadEngineCommand(const SimpleCommand& command, const PodEnv& env,
                                               std::vector<std::string>* warnings);

// The same for a command that names no engine, taken for one that `parser` reads.
EngineCommand ReadCommandAs(Parser parser, const SimpleCommand& command, const PodEnv& env,
                            std::vector<std::string>* warnings);

// The command is a shell's own or a tool of every image: it starts no engine, whatever its words
// and flags name.
bool StartsNothing(const SimpleCommand& command);

// The engine that the image's name or a flag of the commands gives away; kAny for none.
Parser GuessParser(const std::vector<SimpleCommand>& commands, std::string_view image);

}  // namespace shm
