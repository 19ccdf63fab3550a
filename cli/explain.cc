#include "cli/explain.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <istream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "cli/output.h"
#include "core/nccl_explain.h"

namespace shm::cli {
namespace {

struct ExplainFlags {
  std::string line;
  std::string file;
  std::string output = "text";
};

struct Explained {
  std::string line;
  Explanation explanation;
};

// What ExplainLogLine reads at most; the rest of a longer line is dropped, not held.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

bool ReadLine(std::istream& in, std::vector<char>& buffer, std::string& line) {
  in.getline(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  const auto count = static_cast<std::size_t>(in.gcount());
  if (count == 0) return false;
  const bool cut = in.fail() && !in.eof();
  // The newline counts as read, but is not stored.
  line.assign(buffer.data(), cut || in.eof() ? count : count - 1);
  if (cut) {
    in.clear();
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return true;
}

// The line of a log that says most: the first that asks for something to be done (what follows it
// are consequences), else the first that is known, else the whole of it as one stretch, since some
// programs break one message into several lines.
Explained ExplainLog(std::istream& in) {
  std::vector<char> buffer(kMostBytes + 1);
  std::string whole;
  Explained best;
  for (std::string line; ReadLine(in, buffer, line);) {
    Explanation explanation = ExplainLogLine(line);
    if (explanation.known && (!best.explanation.known || !explanation.cure.empty())) {
      best = {line, std::move(explanation)};
      if (!best.explanation.cure.empty()) return best;
    }
    if (whole.size() < kMostBytes) whole += (whole.empty() ? "" : "\n") + line;
  }
  if (!best.explanation.known) best = {whole, ExplainLogLine(whole)};
  return best;
}

void WriteText(const Explained& explained, std::ostream& out) {
  const Explanation& explanation = explained.explanation;
  if (explanation.known) out << "Line:  " << explained.line << "\n";
  out << "Cause: " << explanation.cause << "\n";
  if (explanation.bytes) out << "Bytes: " << *explanation.bytes << "\n";
  if (!explanation.cure.empty()) out << "Cure:  " << explanation.cure << "\n";
}

nlohmann::ordered_json ToJson(const Explained& explained) {
  const Explanation& explanation = explained.explanation;
  nlohmann::ordered_json json;
  json["known"] = explanation.known;
  json["cause"] = explanation.cause;
  json["cure"] = explanation.cure;
  json["bytes"] = nullptr;
  if (explanation.bytes) json["bytes"] = *explanation.bytes;
  json["line"] = explained.line;
  return json;
}

int Explain(const ExplainFlags& flags, const Streams& streams) {
  if (flags.line.empty() == flags.file.empty()) {
    return BadInput(streams, {"", "explain takes a line, or a log by -f: one of them"});
  }
  std::ifstream file;
  const bool reads_file = !flags.file.empty() && flags.file != "-";
  if (reads_file) file.open(flags.file, std::ios::binary);
  if (reads_file && !file) {
    return BadInput(streams, {"--filename", "\"" + flags.file + "\" cannot be read"});
  }
  const bool reads_log = !flags.file.empty() || flags.line == "-";
  const Explained explained = reads_log ? ExplainLog(reads_file ? file : streams.in)
                                        : Explained{flags.line, ExplainLogLine(flags.line)};
  if (flags.output == "text") {
    WriteText(explained, streams.out);
  } else {
    WriteAnswer(ToJson(explained), flags.output, streams.out);
  }
  return explained.explanation.known ? kDone : kFinding;
}

}  // namespace

Command AddExplain(CLI::App& program) {
  const auto flags = std::make_shared<ExplainFlags>();
  CLI::App* app = program.add_subcommand(
      "explain", "What a line of a log says about /dev/shm: its cause and its cure.");
  app->add_option("line", flags->line,
                  "The line in quotes, or - for a log on stdin, of which the first line that calls "
                  "for a cure is explained. Put -- before a line that begins with a dash");
  app->add_option("-f,--filename", flags->file, "A log in a file, or - for stdin")
      ->type_name("PATH");
  app->add_option("-o,--output", flags->output, "text, json or yaml")
      ->check(CLI::IsMember({"text", "json", "yaml"}));
  app->footer("Exit codes: 0 known, 1 not known, 2 bad input\n");
  return {app, [flags](const Streams& streams) { return Explain(*flags, streams); }};
}

}  // namespace shm::cli
