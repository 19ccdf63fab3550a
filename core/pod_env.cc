#include "core/pod_env.h"

#include <utility>

namespace shm {

PodEnv::PodEnv(const std::vector<EnvVar>& env) {
  std::size_t expanded_bytes = 0;
  for (const EnvVar& entry : env) {
    if (entry.from_source) {
      Set(entry.name, std::nullopt);
      continue;
    }
    ExpandedText expanded = Expand(entry.value);
    if (expanded.text.size() > entry.value.size()) expanded_bytes += expanded.text.size();
    const bool known = expanded.unknown.empty() && expanded.text.size() <= kMaxValueBytes &&
                       expanded_bytes <= kMaxExpandedBytes;
    Set(entry.name, known ? std::optional(std::move(expanded.text)) : std::nullopt);
  }
}

std::optional<std::string> PodEnv::Value(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : found->second;
}

void PodEnv::Set(std::string name, std::optional<std::string> value) {
  values_.insert_or_assign(std::move(name), std::move(value));
}

ExpandedText PodEnv::Expand(std::string_view text) const {
  ExpandedText result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    result.text.append(text.substr(at, dollar - at));
    if (dollar == std::string_view::npos) break;
    at = dollar + 1;
    if (at < text.size() && text[at] == '$') {
      result.text += '$';
      ++at;
      continue;
    }
    const std::size_t close =
        at < text.size() && text[at] == '(' ? text.find(')', at) : std::string_view::npos;
    if (close == std::string_view::npos) {
      result.text += '$';
      // Without a closing parenthesis no later reference closes either: one look is enough.
      if (at < text.size() && text[at] == '(') {
        result.text.append(text.substr(at));
        break;
      }
      continue;
    }
    const std::string_view name = text.substr(at + 1, close - at - 1);
    const auto found = values_.find(name);
    if (found != values_.end() && found->second) {
      result.text.append(*found->second);
    } else {
      result.text.append(text.substr(dollar, close + 1 - dollar));
      (found == values_.end() ? result.missing : result.unknown).emplace_back(name);
    }
    at = close + 1;
    if (result.text.size() > kMaxValueBytes && result.text.size() > text.size()) {
      result.unknown.emplace_back(name);
      break;
    }
  }
  return result;
}

std::vector<EnvVar> PodEnv::WithPrefix(std::string_view prefix) const {
  std::vector<EnvVar> entries;
  for (auto entry = values_.lower_bound(prefix);
       entry != values_.end() && std::string_view(entry->first).starts_with(prefix); ++entry) {
    entries.push_back({entry->first, entry->second.value_or(""), !entry->second.has_value()});
  }
  return entries;
}

}  // namespace shm
