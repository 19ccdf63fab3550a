#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/nccl_explain.h"

namespace shm {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("A line of NCCL is explained by the size of its segment") {
  struct Case {
    std::string line;
    std::int64_t bytes;
    std::string cause;  // a part of it
  };
  const std::vector<Case> cases = {
      {"misc/shmutils.cc:87 NCCL WARN Error: failed to extend /dev/shm/nccl-XXXXXX to 9637892 "
       "bytes, error: No space left on device (28)",
       9637892, "9,637,888 bytes are one connection of the SHM transport"},
      {"NCCL WARN Error while creating shared memory segment /dev/shm/nccl-AbCdEf (size 9637888), "
       "error: No space left on device (28)",
       9637888, "NCCL_BUFFSIZE 4,194,304"},
      {"Error while creating shared memory segment /dev/shm/nccl-X (size 6492160), error: No space "
       "left on device (28)",
       6492160, "NCCL_BUFFSIZE 1,048,576"},
      {"failed to extend /dev/shm/nccl-X to 6492164 bytes, error: No space left on device (28)",
       6492164, "NCCL_BUFFSIZE is not NCCL's default"},
      {"failed to extend /dev/shm/nccl-X to 22220804 bytes", 22220804, "NCCL_BUFFSIZE 16,777,216"},
      {"Error: failed to extend /dev/shm/nccl-vXc2Ek to 33030532 bytes, error: No space left on "
       "device (28)",
       33030532, "operations pool of NCCL 2.25 and 2.26"},
      {"failed to extend /dev/shm/nccl-X to 34210180 bytes", 34210180, "operations pool"},
      {"Error while creating shared memory segment /dev/shm/nccl-X (size 34210176)", 34210176,
       "operations pool"},
      {"failed to extend /dev/shm/nccl-X to 7340388 bytes", 7340388, "up to 2.24"},
      {"failed to extend /dev/shm/nccl-X to 10486112 bytes", 10486112, "up to 2.24"},
      {"failed to extend /dev/shm/nccl-X to 4100 bytes", 4100, "header"},
      {"failed to extend /dev/shm/nccl-X to 12345 bytes", 12345, "of 12,345 bytes."},
      {"hostname:7:123 [0] misc/shmutils.cc:73 NCCL WARN to 3: failed to extend "
       "/dev/shm/nccl-X to 9637892 bytes",
       9637892, "/dev/shm is full"},
  };
  for (const Case& c : cases) {
    INFO(c.line);
    const Explanation result = ExplainLogLine(c.line);
    CHECK(result.known);
    CHECK(result.bytes == c.bytes);
    INFO(result.cause);
    CHECK(Has(result.cause, c.cause));
    CHECK(Has(result.cause, "/dev/shm is full"));
    CHECK(Has(result.cure, "shmctl size"));
    CHECK(Has(result.cure, "NCCL_SHM_DISABLE=1 does not help"));
  }
}

TEST_CASE("Known lines name their cause and a cure") {
  struct Case {
    std::string line;
    std::string cause;
    std::string cure;
    std::optional<std::int64_t> bytes = std::nullopt;
  };
  const std::vector<Case> cases = {
      {"NCCL INFO cuMem host allocations do not appear to be working; falling back to a /dev/shm/ "
       "based implementation.",
       "no error", "SYS_NICE"},
      {"NCCL WARN Error while attaching to shared memory segment /dev/shm/nccl-X (size 4096), "
       "error: No such file or directory (2)",
       "do not share one /dev/shm", "same volume", 4096},
      {"NCCL WARN failed to extend /dev/shm/nccl-X to 4100 bytes, error: Cannot allocate memory "
       "(12)",
       "memory limit", "Raise the memory limit", 4100},
      {"RuntimeError: DataLoader worker (pid 3216) is killed by signal: Bus error. It is possible "
       "that dataloader's workers are out of shared memory.",
       "DataLoader", "/dev/shm"},
      {"ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient "
       "shared memory (shm).",
       "DataLoader", "/dev/shm"},
      {"RuntimeError: unable to allocate shared memory(shm) for file </torch_1_2_3>: Success (0)",
       "it is full", "/dev/shm"},
      {"RuntimeError: unable to write to file </torch_42_1>: No space left on device (28)",
       "it is full", "/dev/shm"},
      {"RuntimeError: unable to mmap 1073741824 bytes from file </torch_42_1>: Cannot allocate "
       "memory (12)",
       "PyTorch", "/dev/shm", 1073741824},
      {"RuntimeError: unable to open shared memory object </torch_1> in read-write mode: Too many "
       "open files (24)",
       "not to blame", "open files"},
      {"RuntimeError: unable to open shared memory object </torch_1> in read-write mode: No space",
       "could not open", "/dev/shm"},
      {"OSError: [Errno 28] No space left on device: '/psm_12ab34cd'", "Python", "/dev/shm"},
      {"INFO shm_broadcast.py:466] No available shared memory broadcast block found in 60 seconds.",
       "not to blame", "workers' logs"},
      {"WARNING: The object store is using /tmp instead of /dev/shm because /dev/shm has only "
       "67108864 bytes available.",
       "Ray", "/dev/shm", 67108864},
      {"ValueError: The configured object store size (15.0 GB) exceeds /dev/shm size (4.5 GB).",
       "Ray", "--object-store-memory"},
      {"Fatal Python error: Bus error", "SIGBUS", "/dev/shm"},
      {"died with <Signals.SIGBUS: 7>.", "SIGBUS", "/dev/shm"},
      {"rank 0 exitcode: -7", "SIGBUS", "/dev/shm"},
      {"cp: error writing '/dev/shm/x': No space left on device", "full", "/dev/shm"},
      {"Memory cgroup out of memory: Killed process 41 (VLLM::Worker) total-vm:1kB, "
       "anon-rss:2kB, file-rss:3kB, shmem-rss:1048576kB, UID:0",
       "1,073,741,824 bytes of it were shared memory", "memoryLimitPolicy", 1073741824},
      {"Reason: OOMKilled", "memory limit", "delete the pod"},
      {"Evicted: Usage of EmptyDir volume \"dshm\" exceeds the limit \"1Gi\".", "evicts",
       "sizeLimit"},
  };
  for (const Case& c : cases) {
    INFO(c.line);
    const Explanation result = ExplainLogLine(c.line);
    INFO(result.cause << " | " << result.cure);
    CHECK(result.known);
    CHECK(Has(result.cause, c.cause));
    CHECK(Has(result.cure, c.cure));
    CHECK(result.bytes == c.bytes);
  }
}

TEST_CASE("Unknown lines say so") {
  for (const std::string line :
       {"", " ", "INFO: Application startup complete.", "No space left on device",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.",
        "NCCL INFO Channel 00 : 0[0] -> 1[1] via P2P/CUMEM", "/dev/shm"}) {
    INFO(line);
    const Explanation result = ExplainLogLine(line);
    CHECK_FALSE(result.known);
    CHECK_FALSE(result.cause.empty());
    CHECK(result.cure.empty());
    CHECK_FALSE(result.bytes.has_value());
  }
}

TEST_CASE("Any bytes and any numbers are survived") {
  const std::string prefix = "failed to extend /dev/shm/nccl-X to ";
  CHECK_FALSE(ExplainLogLine(prefix + std::string(400, '9') + " bytes").bytes.has_value());
  CHECK_FALSE(ExplainLogLine(prefix + "-9637892 bytes").bytes.has_value());
  CHECK(ExplainLogLine(prefix + "9223372036854775807 bytes").bytes == INT64_MAX);
  CHECK(ExplainLogLine(prefix + "0 bytes").bytes == 0);
  CHECK(ExplainLogLine("out of memory shmem-rss:9223372036854775807kB").known);
  CHECK(ExplainLogLine("\xff" + std::string(3, '\0') + "/dev/shm no space left on device").known);
  // Beyond the first MiB nothing is read.
  CHECK_FALSE(ExplainLogLine(std::string(2 << 20, 'b') + " bus error").known);
  CHECK(ExplainLogLine(std::string(1 << 19, 'b') + " bus error").known);
}

}  // namespace
TEST_CASE("A line that names another reason than space is not taken for a full /dev/shm") {
  const std::string failed =
      "misc/shmutils.cc:87 NCCL WARN Error: failed to extend /dev/shm/nccl-x to 9637892 bytes, "
      "error: ";
  for (const char* reason : {"Invalid argument (22)", "Too many open files (24)"}) {
    const Explanation explanation = ExplainLogLine(failed + reason);
    INFO(explanation.cause);
    CHECK(explanation.known);
    CHECK(explanation.cause.find("another reason") != std::string::npos);
  }
}

TEST_CASE("Lines of older NCCL, of PyTorch, Triton and NVIDIA's images are known") {
  for (const char* line :
       {"include/shm.h:28 NCCL WARN Call to posix_fallocate failed : No space left on device",
        "RuntimeError: unable to resize file </torch_12_34> to the right size: No space left on "
        "device (28)",
        "Unable to initialize shared memory key 'triton_python_backend_shm_region_1' to requested "
        "size",
        "NOTE: The SHMEM allocation limit is set to the default of 64MB."}) {
    INFO(line);
    CHECK(ExplainLogLine(line).known);
    CHECK_FALSE(ExplainLogLine(line).cure.empty());
  }
}

}  // namespace shm
