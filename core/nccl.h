// What NCCL takes from /dev/shm, in closed form.
//
// Measured on 2 × H100 with NCCL 2.28.9 (tests/data/nccl-shm-h100x2.jsonl); 3 and more ranks are
// extrapolated. The parts were read from NCCL's source: src/transport/shm.cc (one segment with the
// buffers of all three protocols and one with the peer's header per connection and channel),
// src/proxy.cc (the operations pool), src/init.cc (buffer sizes), src/graph/connect.cc and
// src/graph/paths.cc (channels).
//
//   pages(x)    = x rounded up to 4096
//   segment     = pages(LL + LL128 + BUFFSIZE + 4096 + 4) + pages(4096 + 4)
//   pool        = pages(34,210,176 + 4)
//   n           = min(64, max(MIN_NCHANNELS, min(4, MAX_NCHANNELS)));  q = min(2,
//   MAX_P2P_NCHANNELS) pools       = G + 2                        cuMem off, or the NET transport
//   serves the host connections = G·n + G(G−1)·q + q (+ 2n if cuMem is off)     SHM transport
//   without cuMem buffers bytes       = communicators × (pools × pool + connections × segment)
//
// All functions are pure and safe to call from any thread; all arithmetic saturates at INT64_MAX.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/env_view.h"

namespace shm {

// The settings that decide it, as NCCL itself understands a container's environment.
struct NcclSettings {
  std::int64_t buffer_size = 4'194'304;        // bytes, NCCL_BUFFSIZE
  std::int64_t ll_buffer_size = 524'288;       // bytes, NCCL_LL_BUFFSIZE
  std::int64_t ll128_buffer_size = 4'915'200;  // bytes, NCCL_LL128_BUFFSIZE
  int min_channels = 0;                        // 0 to 64, NCCL_MIN_NCHANNELS, NCCL_MIN_CTAS
  int max_channels = 64;                       // 1 to 64, NCCL_MAX_NCHANNELS, NCCL_MAX_CTAS
  int max_p2p_channels = 64;                   // 1 to 64, NCCL_MAX_P2P_NCHANNELS
  bool p2p = true;                             // not NCCL_P2P_DISABLE=1, NCCL_P2P_LEVEL=LOC
  bool shm = true;                             // not NCCL_SHM_DISABLE=1
  bool cumem = true;                           // NCCL_CUMEM_ENABLE
  bool cumem_host = true;                      // NCCL_CUMEM_HOST_ENABLE; nothing without cumem
  friend bool operator==(const NcclSettings&, const NcclSettings&) = default;
};

// Reads them from a container's env list, in the pod's order (of duplicate names the last wins).
// Numbers are read as NCCL reads them: strtoll with base 0, so "0x10" is 16, "010" is 8 and "true"
// is 0. A value that NCCL reads otherwise than a person would, cannot use, or that is unknown here
// (valueFrom) is a warning; where it cannot be used or known NCCL's default stands.
// `warnings` may be null.
NcclSettings ReadNcclSettings(const std::vector<EnvVar>& env, std::vector<std::string>* warnings);

// Bytes that NCCL takes from one /dev/shm, if the environment means what it says. gpus: GPUs that
// share it, communicators: NCCL communicators among them, each 1 to 1024 (clamped). One GPU alone
// has no peer and takes nothing.
std::int64_t PredictNcclBytes(const NcclSettings& settings, int gpus, int communicators);

// Bytes to provide: the worst the pod may fall to without saying so, which is GPUs without P2P and
// no cuMem host buffers (NCCL's src/misc/cudawrap.cc falls back to /dev/shm by itself where the
// container runtime blocks NUMA calls). cuMem is as the environment says. Never below the
// prediction.
std::int64_t NcclProvisionBytes(const NcclSettings& settings, int gpus, int communicators);

}  // namespace shm
