// A container's environment as the kubelet would make it from the pod's env list.
//
// Source of the rules: kubernetes/kubernetes third_party/forked/golang/expansion/expand.go and
// pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables): of duplicate names the last wins, $(NAME)
// in a value means an entry that stands before it, $$ stands for $, and a reference to a name that
// is not there stays as it is written. Variables of the image, of envFrom and of Services are not
// in the list and therefore not here.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/env_view.h"

namespace shm {

// Text after $(NAME) was replaced. `unknown` names the variables that could not be: those that come
// from a valueFrom (directly or through another variable). `missing` names those that are not in
// the list and so stay as written.
struct ExpandedText {
  std::string text;
  std::vector<std::string> unknown;
  std::vector<std::string> missing;
};

// Safe to share between threads while nobody writes it. Lookups are logarithmic, copies share what
// they can. No value grows beyond kMaxValueBytes, nor all that refer to others beyond
// kMaxExpandedBytes: a list that doubles itself entry by entry ends as unknown.
class PodEnv {
 public:
  static constexpr std::size_t kMaxValueBytes = 64 * 1024;
  static constexpr std::size_t kMaxExpandedBytes = 4 * 1024 * 1024;

  PodEnv() = default;
  // The entries of `env`, after those of `before`. Both must outlive this and its copies.
  explicit PodEnv(const std::vector<EnvVar>& env) : PodEnv({}, env) {}
  PodEnv(const std::vector<EnvVar>& before, const std::vector<EnvVar>& env);
  explicit PodEnv(std::vector<EnvVar>&& env) = delete;
  PodEnv(const std::vector<EnvVar>& before, std::vector<EnvVar>&& env) = delete;

  // In the list, with a value that can be told or not.
  bool Has(std::string_view name) const { return Find(name).listed; }
  // The value; nothing where the name is not in the list or its value cannot be told.
  std::optional<std::string> Value(std::string_view name) const;
  // In the list, but its value cannot be told.
  bool IsUnknown(std::string_view name) const {
    const Found found = Find(name);
    return found.listed && !found.value;
  }

  // Entries whose names begin with `prefix`, by name; one whose value cannot be told is marked as
  // from_source.
  std::vector<EnvVar> WithPrefix(std::string_view prefix) const;

  // What the kubelet makes of one entry of command or args.
  ExpandedText Expand(std::string_view text) const;

  // Sets a variable as a shell's assignment does; nothing: its value cannot be told.
  void Set(std::string name, std::optional<std::string> value);

 private:
  struct Found {
    bool listed = false;
    std::optional<std::string_view> value;
  };

  Found Find(std::string_view name) const;
  void Add(const EnvVar& entry, std::size_t* expanded_bytes);

  // The entries before the first one whose value refers to others, one for each name, in an order
  // of names. Most lists have no such value: nothing of them is copied.
  std::shared_ptr<const std::vector<const EnvVar*>> plain_;
  // What came after them, which wins.
  std::map<std::string, std::optional<std::string>, std::less<>> values_;
};

}  // namespace shm
