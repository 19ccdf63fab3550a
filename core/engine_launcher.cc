#include "core/engine_launcher.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace shm {
namespace {

constexpr std::size_t kShownBytes = 80;

// The hosts of "a,b:8,a": each name once.
std::size_t CountHosts(std::string_view list) {
  std::set<std::string_view> hosts;
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    if (!entry.empty()) hosts.insert(entry.substr(0, entry.find(':')));
  }
  return hosts.size();
}

class LauncherReader {
 public:
  LauncherReader(EngineCommand* result, std::vector<std::string>* warnings)
      : result_(result), warnings_(warnings) {}

  void Read(const std::vector<Word>& words, std::size_t end) {
    constexpr std::array<std::string_view, 5> kRanks = {"-n", "-np", "--np", "--n", "-c"};
    constexpr std::array<std::string_view, 4> kHosts = {"-H", "-host", "--host", "-hosts"};
    constexpr std::array<std::string_view, 4> kFiles = {"--hostfile", "-hostfile", "--machinefile",
                                                        "-machinefile"};
    std::size_t i = 0;
    while (i < end && !IsLauncher(words[i].text)) ++i;
    for (; i + 1 < end; ++i) {
      if (IsOneOf(words[i].text, kRanks)) ReadRanks(words[i].text, words[i + 1]);
      if (IsOneOf(words[i].text, kHosts)) ReadHosts(words[i].text, words[i + 1]);
      if (IsOneOf(words[i].text, kFiles)) result_->unread = true;
    }
  }

 private:
  template <std::size_t N>
  static bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& names) {
    return std::find(names.begin(), names.end(), text) != names.end();
  }

  void ReadRanks(const std::string& flag, const Word& value) {
    if (value.known()) {
      result_->settings[Meaning::kRanks] = {value.text, flag};
    } else {
      result_->settings[Meaning::kRanks] = {std::nullopt, flag};
      warnings_->push_back(flag + " " + value.text.substr(0, kShownBytes) +
                           " of mpirun cannot be told");
    }
  }

  // Without a known number of pods the ranks are not compared with this pod's GPUs.
  void ReadHosts(const std::string& flag, const Word& value) {
    if (const std::size_t hosts = CountHosts(value.text); value.known() && hosts > 0) {
      result_->settings[Meaning::kNodes] = {std::to_string(hosts), flag};
    } else {
      result_->unread = true;
    }
  }

  EngineCommand* result_;
  std::vector<std::string>* warnings_;
};

}  // namespace

void ReadLauncher(const std::vector<Word>& words, std::size_t end, EngineCommand* result,
                  std::vector<std::string>* warnings) {
  LauncherReader(result, warnings).Read(words, end);
}

}  // namespace shm
