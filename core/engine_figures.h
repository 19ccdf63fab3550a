// What the engines take from /dev/shm beside NCCL, as figures with their sources. Versions as in
// core/engine_flags.h.
#pragma once

#include <cstdint>
#include <string_view>

namespace shm {

// vLLM's multiprocessing executor, one for each data parallel rank: one broadcast ring of 10 chunks
// of VLLM_MQ_MAX_CHUNK_BYTES_MB MiB (16 unset), and a response ring of 10 chunks of 24 MiB for each
// worker; one worker alone runs in the engine's process and has neither, unless the executor is
// asked for by name. Sources: vllm-project/vllm vllm/v1/executor/multiproc_executor.py,
// vllm/distributed/device_communicators/shm_broadcast.py, vllm/config/parallel.py, vllm/envs.py.
inline constexpr int kVllmRingChunks = 10;
inline constexpr int kVllmRingChunkMib = 16;
inline constexpr int kVllmWorkerMib = 240;
inline constexpr std::string_view kVllmRingVariable = "VLLM_MQ_MAX_CHUNK_BYTES_MB";

// --enable-shm-tensor-arena: 8 slots of 256 MiB beside the broadcast ring. Source:
// vllm-project/vllm vllm/distributed/device_communicators/shm_tensor_arena.py.
inline constexpr int kVllmArenaMib = 8 * 256;

// The multi-modal processor's cache: vllm-project/vllm vllm/config/multimodal.py,
// vllm/multimodal/cache/shm.py. KV offload of the native backend, one /dev/shm/vllm_offload_*.mmap
// for each data parallel rank: vllm/config/cache.py, vllm/config/vllm.py, vllm/v1/engine/core.py,
// vllm/v1/kv_offload/cpu/shared_offload_region.py; also core/engine_offload.h.
inline constexpr int kVllmProcessorCacheGib = 4;

// The region is made whole at start, after a look at what /dev/shm has free: anything else there
// would fail it. Rings are written to later and leave room; beside a region alone there are to be
// 64 MiB, the /dev/shm of a container without a volume, which what is small fits in.
inline constexpr int kVllmBesideOffloadMib = 64;

// Ray's object store where nobody gives its size: 0.3 of the memory, at most 200 × 10^9 bytes
// (unless its variables say otherwise) and at most max(10^10 bytes, 0.95 of what /dev/shm has
// free). So it follows the size that is decided here: with 10^10 bytes it has room, with less it
// goes to /tmp with a line in the log. One whose size is given needs all of it, and above 10^10 Ray
// does not start without; in another directory it takes nothing. Sources: ray-project/ray
// python/ray/_private/ray_constants.py (REQUIRE_SHM_SIZE_THRESHOLD), python/ray/_private/utils.py
// (resolve_object_store_memory), python/ray/_private/services.py (determine_plasma_store_config).
inline constexpr double kRayStoreShare = 0.3;
inline constexpr std::int64_t kRayStoreMost = 10'000'000'000;
inline constexpr std::string_view kRayShareVariable = "RAY_DEFAULT_OBJECT_STORE_MEMORY_PROPORTION";
inline constexpr std::string_view kRayMostVariable = "RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES";

// LMDeploy's multiprocessing executor: 32 blocks of 1 MiB and 8 bytes, one set for the commands and
// one for each rank's answers. Source: InternLM/lmdeploy
// lmdeploy/pytorch/engine/executor/mp_executor.py.
inline constexpr std::int64_t kLmdeployBufferBytes = 32 * ((std::int64_t{1} << 20) + 8);

}  // namespace shm
