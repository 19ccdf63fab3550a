// What vLLM's --kv-transfer-config says of an offload region in /dev/shm.
//
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace shm {

struct OffloadConfig {
  std::int64_t bytes = 0;  // of one engine's region, 0 to 2^50; 0 for none
  bool unclear = false;    // it speaks of such a region, but its size cannot be told
};

// `text`: the flag's value, JSON. An OffloadingConnector, alone or among a MultiConnector's, whose
// spec is one of vLLM's own maps cpu_bytes_to_use bytes at /dev/shm/vllm_offload_*.mmap and fills
// them at start; too small a /dev/shm fails it. Other connectors keep what they hold elsewhere.
// Sources: vllm-project/vllm vllm/v1/kv_offload/cpu/shared_offload_region.py, cpu/spec.py,
// tiering/spec.py, factory.py in vllm/v1/kv_offload, and
// vllm/distributed/kv_transfer/kv_connector/v1/multi_connector.py.
OffloadConfig ReadOffloadConfig(std::string_view text);

// It speaks of offloading, whatever it says.
bool SpeaksOfOffloading(std::string_view text);

}  // namespace shm
