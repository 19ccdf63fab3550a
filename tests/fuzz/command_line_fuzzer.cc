// Any bytes as a container's command, args and env, parts apart by a line "\x01": facts come back,
// in their ranges. Within a part entries are apart by a "\x02".
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine.h"
#include "core/nccl.h"

namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

void CheckDegree(const std::optional<int>& degree) {
  if (degree && (*degree < 1 || *degree > 1024)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts =
      Split(std::string_view(reinterpret_cast<const char*>(data), size), '\x01');
  parts.resize(3);
  std::vector<shm::EnvVar> env;
  for (const std::string& entry : Split(parts[2], '\x02')) {
    const std::size_t equals = entry.find('=');
    const bool from_source = equals == std::string::npos;
    env.push_back(
        {entry.substr(0, equals), from_source ? "" : entry.substr(equals + 1), from_source});
  }
  const shm::EngineFacts facts = shm::ReadEngine(Split(parts[0], '\x02'), Split(parts[1], '\x02'),
                                                 env, 2, std::int64_t{1} << 34);
  CheckDegree(facts.degrees.tensor_parallel);
  CheckDegree(facts.degrees.pipeline_parallel);
  CheckDegree(facts.degrees.data_parallel);
  if (facts.need_bytes < 0 || (facts.need_bytes > 0) == facts.need_words.empty()) std::abort();

  std::vector<std::string> warnings;
  const shm::NcclSettings settings = shm::ReadNcclSettings(env, &warnings);
  const std::int64_t predicted = shm::PredictNcclBytes(settings, 8, 4);
  if (predicted < 0 || shm::NcclProvisionBytes(settings, 8, 4) < predicted) std::abort();
  return 0;
}
