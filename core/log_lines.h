// The lines that core/nccl_explain.h knows by what they contain, as data. The words are those of
// PyTorch (torch/utils/data/_utils/signal_handling.py, aten/src/ATen/MapAllocator.cpp), vLLM
// (vllm/distributed/device_communicators/shm_broadcast.py), Ray (python/ray/_private/services.py),
// CPython's multiprocessing, the kernel's mm/oom_kill.c and the kubelet's eviction manager.
#pragma once

#include <array>
#include <string_view>

namespace shm {

inline constexpr const char* kGiveMemory =
    "Give the pod a memory-backed /dev/shm of the size it needs: an InferenceService (or the "
    "annotation shm-operator.dev/shm-size) does it, `shmctl size` says how much, and outside "
    "Kubernetes `docker run --shm-size` takes it.";
// A line that is known by what it contains. `number`: what stands before the bytes, empty for none.
struct KnownLine {
  std::array<std::string_view, 2> contains;  // all of them; the second may be empty
  const char* cause;
  const char* cure;
  std::string_view number;
};

inline constexpr KnownLine kKnownLines[] = {
    {{"cumem host allocations do not appear to be working", ""},
     "NCCL's cuMem host buffers do not work in this container (its seccomp profile blocks NUMA "
     "calls), so NCCL takes its buffers from /dev/shm instead. By itself the line is no error.",
     "Size /dev/shm for the SHM transport (`shmctl size` does by default), or give the "
     "container the capability SYS_NICE.",
     ""},
    {{"object store is using", "/dev/shm has only"},
     "Ray's object store does not fit into /dev/shm and went to disk, which is much slower.",
     kGiveMemory,
     "/dev/shm has only "},
    {{"configured object store size", "exceeds /dev/shm size"},
     "Ray's object store is larger than /dev/shm, and Ray refuses to start.",
     "Give the pod a /dev/shm of at least the object store's size, or lower --object-store-memory.",
     ""},
    {{"no available shared memory broadcast block found", ""},
     "A vLLM worker does not take messages from the ring in /dev/shm. It hangs, compiles or has "
     "died: the ring was made, so the size of /dev/shm is not to blame.",
     "Look at the workers' logs just before this line; after a Bus error there, /dev/shm is too "
     "small.",
     ""},
    {{"unable to open shared memory object", "too many open files"},
     "PyTorch keeps one file open for each shared tensor, and the limit of open files is reached; "
     "the size of /dev/shm is not to blame.",
     "Raise the limit of open files, or use torch.multiprocessing's file_system sharing strategy.",
     ""},
    {{"unable to allocate shared memory", ""},
     "PyTorch could not make a shared tensor in /dev/shm: it is full.",
     kGiveMemory,
     ""},
    {{"unable to open shared memory object", ""},
     "PyTorch could not open a shared tensor in /dev/shm: it is full, or the process that made it "
     "has ended.",
     kGiveMemory,
     ""},
    {{"unable to mmap", "/torch_"},
     "PyTorch could not map a shared tensor of /dev/shm into memory.",
     kGiveMemory,
     "unable to mmap "},
    {{"unable to resize file", "no space left on device"},
     "PyTorch could not make room for a shared tensor in /dev/shm: it is full.",
     kGiveMemory,
     ""},
    {{"posix_fallocate failed", "no space left on device"},
     "NCCL could not make a file in /dev/shm: it is full (include/shm.h of NCCL 2.4 to 2.8).",
     kGiveMemory,
     ""},
    {{"unable to initialize shared memory key", ""},
     "Triton's Python backend could not make its region in /dev/shm: it is full.",
     kGiveMemory,
     ""},
    {{"shmem allocation limit is set to the default of 64mb", ""},
     "NVIDIA's image says that /dev/shm has the container runtime's 64 MB, which is too little for "
     "most of what it runs.",
     kGiveMemory,
     ""},
    {{"unable to write to file", "/torch_"},
     "PyTorch could not write a shared tensor to /dev/shm: it is full.",
     kGiveMemory,
     ""},
    {{"insufficient shared memory", ""},
     "A PyTorch DataLoader worker wrote beyond what /dev/shm can hold (SIGBUS).",
     kGiveMemory,
     ""},
    {{"dataloader worker", "bus error"},
     "A PyTorch DataLoader worker wrote beyond what /dev/shm can hold (SIGBUS).",
     kGiveMemory,
     ""},
    {{"dataloader worker", "out of shared memory"},
     "A PyTorch DataLoader worker wrote beyond what /dev/shm can hold (SIGBUS).",
     kGiveMemory,
     ""},
    {{"vllm_offload_", "no space left on device"},
     "vLLM's KV offload (--kv-offloading-size) does not fit into /dev/shm.",
     kGiveMemory,
     ""},
    {{"vllm_offload_", "file"},
     "vLLM's KV offload file in /dev/shm is left over from an engine that died: it outlives a "
     "restart of the container.",
     "Delete the pod rather than restart its container.",
     ""},
    {{"/psm_", "no space left on device"},
     "Python's shared memory does not fit into /dev/shm: it is full.",
     kGiveMemory,
     ""},
    {{"/dev/shm", "no space left on device"}, "/dev/shm is full.", kGiveMemory, ""},
    {{"/dev/shm", "not enough space"}, "/dev/shm is too small.", kGiveMemory, ""},
    {{"synchronize.py", "no space left on device"},
     "Python could not make a semaphore: its file lies in /dev/shm, which is full.",
     kGiveMemory,
     ""},
    {{"semlock", "no space left on device"},
     "Python could not make a semaphore: its file lies in /dev/shm, which is full.",
     kGiveMemory,
     ""},
    {{"usage of emptydir volume", "exceeds the limit"},
     "The kubelet evicts the pod: an emptyDir holds more than its sizeLimit.",
     "Raise the sizeLimit of that volume; `shmctl size` says what /dev/shm needs.",
     ""},
    {{"bus error", ""},
     "A process touched a page of mapped memory that could not be had (SIGBUS). In an inference "
     "pod that is /dev/shm: files there are made without their pages, and filled up later, so "
     "a too small one shows long after the start.",
     kGiveMemory,
     ""},
    {{"sigbus", ""},
     "A process touched a page of mapped memory that could not be had (SIGBUS). In an inference "
     "pod that is /dev/shm, filled up long after the start.",
     kGiveMemory,
     ""},
    {{"exitcode: -7", ""},
     "A process ended by signal 7, SIGBUS: /dev/shm filled up.",
     kGiveMemory,
     ""},
    {{"exit code 135", ""},
     "A process ended by signal 7 (135 − 128), SIGBUS: /dev/shm filled up.",
     kGiveMemory,
     ""},
};

}  // namespace shm
