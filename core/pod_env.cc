#include "core/pod_env.h"

#include <algorithm>
#include <utility>

namespace shm {

namespace {

using Entries = std::vector<const EnvVar*>;

// By their lengths first, in which most names differ: that is cheap to compare.
bool IsBefore(std::string_view one, std::string_view other) {
  return one.size() == other.size() ? one < other : one.size() < other.size();
}

bool IsPlain(const EnvVar& entry) {
  return entry.from_source || (entry.value.find('$') == std::string::npos &&
                               entry.value.size() <= PodEnv::kMaxValueBytes);
}

// By name; of several the last one alone.
void SortByName(Entries* entries) {
  std::stable_sort(entries->begin(), entries->end(), [](const EnvVar* one, const EnvVar* other) {
    return IsBefore(one->name, other->name);
  });
  const auto same = [](const EnvVar* one, const EnvVar* other) { return one->name == other->name; };
  // From behind, since unique keeps the first of its like.
  const auto kept = std::unique(entries->rbegin(), entries->rend(), same);
  entries->erase(entries->begin(), kept.base());
}

}  // namespace

PodEnv::PodEnv(const std::vector<EnvVar>& before, const std::vector<EnvVar>& env) {
  Entries all;
  all.reserve(before.size() + env.size());
  for (const EnvVar& entry : before) all.push_back(&entry);
  for (const EnvVar& entry : env) all.push_back(&entry);
  const auto reference =
      std::find_if_not(all.begin(), all.end(), [](const EnvVar* e) { return IsPlain(*e); });
  const Entries others(reference, all.end());
  all.erase(reference, all.end());
  SortByName(&all);
  if (!all.empty()) plain_ = std::make_shared<const Entries>(std::move(all));
  std::size_t expanded_bytes = 0;
  for (const EnvVar* entry : others) Add(*entry, &expanded_bytes);
}

void PodEnv::Add(const EnvVar& entry, std::size_t* expanded_bytes) {
  if (entry.from_source) return Set(entry.name, std::nullopt);
  ExpandedText expanded = Expand(entry.value);
  if (expanded.text.size() > entry.value.size()) *expanded_bytes += expanded.text.size();
  const bool known = expanded.unknown.empty() && expanded.text.size() <= kMaxValueBytes &&
                     *expanded_bytes <= kMaxExpandedBytes;
  Set(entry.name, known ? std::optional(std::move(expanded.text)) : std::nullopt);
}

PodEnv::Found PodEnv::Find(std::string_view name) const {
  if (const auto set = values_.find(name); set != values_.end()) return {true, set->second};
  if (!plain_) return {};
  const auto found = std::lower_bound(
      plain_->begin(), plain_->end(), name,
      [](const EnvVar* entry, std::string_view wanted) { return IsBefore(entry->name, wanted); });
  if (found == plain_->end() || (*found)->name != name) return {};
  if ((*found)->from_source) return {true, std::nullopt};
  return {true, (*found)->value};
}

std::optional<std::string> PodEnv::Value(std::string_view name) const {
  const Found found = Find(name);
  return found.value ? std::optional<std::string>(*found.value) : std::nullopt;
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
    const Found found = Find(name);
    if (found.value) {
      result.text.append(*found.value);
    } else {
      result.text.append(text.substr(dollar, close + 1 - dollar));
      (found.listed ? result.unknown : result.missing).emplace_back(name);
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
  std::map<std::string_view, std::optional<std::string_view>> found;
  for (auto entry = values_.lower_bound(prefix);
       entry != values_.end() && std::string_view(entry->first).starts_with(prefix); ++entry) {
    found.emplace(entry->first, entry->second);
  }
  if (plain_) {
    for (const EnvVar* entry : *plain_) {
      if (!entry->name.starts_with(prefix)) continue;
      found.emplace(entry->name, Find(entry->name).value);
    }
  }
  std::vector<EnvVar> entries;
  for (const auto& [name, value] : found) {
    entries.push_back({std::string(name), std::string(value.value_or("")), !value.has_value()});
  }
  return entries;
}

}  // namespace shm
