// What the webhook writes into a pod's annotation shm-operator.dev/injection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shm {

// What policy Raise added, and what stood there before.
struct RaisedMemory {
  std::string container;             // empty: the pod's own limit alone
  std::int64_t bytes = 0;            // added, in all
  std::optional<std::string> limit;  // originals, as text
  std::optional<std::string> request;
  std::optional<std::string> pod_limit;
  std::optional<std::string> pod_request;
  friend bool operator==(const RaisedMemory&, const RaisedMemory&) = default;
};

struct InjectionRecord {
  std::optional<std::int64_t> size;  // bytes; unset where no volume was given
  int gpus = 0;                      // in the pod
  std::string arithmetic;
  std::vector<std::string> reasons;  // names of Reason, in the order they came up, each once
  std::optional<RaisedMemory> raised;

  // Says the same in what a later pass goes by: size, GPUs, what was raised and where. The same
  // bytes on another container are a record copied from another pod: left as it is, the next pass
  // would raise again.
  bool SameNumbers(const InjectionRecord& other) const;
  friend bool operator==(const InjectionRecord&, const InjectionRecord&) = default;
};

// Compact JSON of version 1. Same record, same bytes.
std::string WriteInjection(const InjectionRecord& record);

// Nothing for a text that is no such record. Unknown members are ignored, so that a newer version
// can be read.
std::optional<InjectionRecord> ReadInjection(std::string_view text);

}  // namespace shm
