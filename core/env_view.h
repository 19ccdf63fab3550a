// One entry of a container's env list, as the pod has it.
#pragma once

#include <string>

namespace shm {

// `value` is the text before the kubelet's own $(NAME) expansion. `from_source` marks an entry with
// valueFrom: its value is unknown here, and `value` is empty. Entries of envFrom have no EnvVar.
struct EnvVar {
  std::string name;
  std::string value;
  bool from_source = false;
  friend bool operator==(const EnvVar&, const EnvVar&) = default;
};

}  // namespace shm
