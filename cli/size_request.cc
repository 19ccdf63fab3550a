#include "cli/size_request.h"

#include <algorithm>
#include <utility>

#include "cli/installation_flags.h"
#include "core/numbers.h"

namespace shm::cli {
namespace {

constexpr int kMostGpus = 1024;

using Engines = std::vector<std::pair<std::string, std::vector<std::string>>>;

const Engines& AllEngines() {
  static const Engines engines = {
      {"vllm", {"vllm", "serve"}},           {"sglang", {"sglang", "serve"}},
      {"tensorrt-llm", {"trtllm-serve"}},    {"lmdeploy", {"lmdeploy", "serve"}},
      {"tgi", {"text-generation-launcher"}}, {"ray", {"ray", "start"}}};
  return engines;
}

Error Bad(const std::string& flag, const std::string& value, const std::string& wanted) {
  return Error{flag, "\"" + value + "\" is not " + wanted};
}

// Leaves `into` as it is where the flag was not given.
template <typename T>
std::optional<Error> ReadCount(const std::string& flag, const std::string& text, T* into) {
  if (text.empty()) return std::nullopt;
  const std::optional<int> count = ParseCount(text);
  if (!count) return Bad(flag, text, "a whole number from 1 to 1024");
  *into = *count;
  return std::nullopt;
}

std::optional<Error> ReadInstallation(const SizeFlags& flags, SizeRequest* request) {
  InstallationFlags installation;
  installation.size_per_gpu = flags.size_per_gpu;
  installation.max_size = flags.max_size;
  const Result<InstallationDefaults> defaults = ReadInstallationFlags(installation);
  if (!defaults.ok()) return defaults.error();
  request->size_per_gpu = defaults->size_per_gpu;
  request->max_size = defaults->max_size;
  return std::nullopt;
}

std::optional<Error> ReadMemoryLimit(const std::string& text, SizeRequest* request) {
  const Result<std::optional<std::int64_t>> limit = ReadBytesFlag("--memory-limit", text);
  if (!limit.ok()) return limit.error();
  request->memory_limit = *limit;
  return std::nullopt;
}

std::optional<Error> ReadEnv(const std::vector<std::string>& entries, std::vector<EnvVar>* into) {
  for (const std::string& entry : entries) {
    const std::size_t sign = entry.find('=');
    if (sign == std::string::npos || sign == 0) return Bad("--env", entry, "NAME=VALUE");
    into->push_back({entry.substr(0, sign), entry.substr(sign + 1), false});
  }
  return std::nullopt;
}

std::optional<Error> ReadGpus(const SizeFlags& flags, SizeRequest* request) {
  std::int64_t tp = 1;
  std::int64_t pp = 1;
  std::int64_t dp = 1;
  if (auto error = ReadCount("--tp", flags.tp, &tp)) return error;
  if (auto error = ReadCount("--pp", flags.pp, &pp)) return error;
  if (auto error = ReadCount("--dp", flags.dp, &dp)) return error;
  request->product = tp * pp * dp;  // at most 2^30
  if (!flags.gpus.empty()) return ReadCount("--gpus", flags.gpus, &request->gpus);
  if (flags.tp.empty() && flags.pp.empty() && flags.dp.empty()) {
    return Error{"--gpus", "is not given: say how many GPUs the pod has, or give --tp, --pp, --dp"};
  }
  if (request->product > kMostGpus) {
    return Error{"--tp, --pp, --dp", std::to_string(tp) + " × " + std::to_string(pp) + " × " +
                                         std::to_string(dp) + " = " +
                                         std::to_string(request->product) +
                                         " GPUs are more than a pod's 1024: say with --gpus how "
                                         "many each pod has"};
  }
  request->gpus = static_cast<int>(request->product);
  return std::nullopt;
}

std::optional<Error> ReadEngineName(const std::string& name, std::string* into) {
  const auto& names = EngineNames();
  *into = name;
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) {
    return std::nullopt;
  }
  std::string wanted = "one of";
  for (const std::string& known : names) wanted += (&known == &names.front() ? " " : ", ") + known;
  return Bad("--engine", name, wanted);
}

}  // namespace

const std::vector<std::string>& EngineNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& engine : AllEngines()) all.push_back(engine.first);
    return all;
  }();
  return names;
}

std::vector<std::string> EngineCommandOf(const std::string& name) {
  for (const auto& [known, command] : AllEngines()) {
    if (known == name) return command;
  }
  return {};
}

Result<SizeRequest> ReadSizeRequest(const SizeFlags& flags) {
  SizeRequest request;
  std::optional<Error> error = ReadGpus(flags, &request);
  if (!error) error = ReadCount("--communicators", flags.communicators, &request.communicators);
  if (!error) error = ReadEnv(flags.env, &request.env);
  if (!error) error = ReadEngineName(flags.engine, &request.engine);
  if (!error) error = ReadInstallation(flags, &request);
  if (!error) error = ReadMemoryLimit(flags.memory_limit, &request);
  if (error) return *error;
  return request;
}

}  // namespace shm::cli
