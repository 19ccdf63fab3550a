// What a log line says about /dev/shm: NCCL's, PyTorch's, vLLM's, Ray's, Python's and the kernel's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shm {

struct Explanation {
  bool known = false;
  std::string cause;                  // whole sentences; says so where the line is unknown
  std::string cure;                   // empty where nothing is to be done, or the line is unknown
  std::optional<std::int64_t> bytes;  // what the line says was asked for, or was there
};

// Reads one line, or a short stretch of a log taken as one line. Any bytes are allowed; what lies
// beyond the first MiB is not read. Linear in the line; pure, safe to call from any thread.
//
// The table of NCCL's segments was measured (NCCL 2.28.9) and read from NCCL's source,
// src/misc/shmutils.cc, src/transport/shm.cc and src/include/proxy.h of 2.11 to 2.30.
Explanation ExplainLogLine(std::string_view line);

}  // namespace shm
