// Any bytes as a log line: an explanation comes back, and says something.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/nccl_explain.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const shm::Explanation result =
      shm::ExplainLogLine(std::string_view(reinterpret_cast<const char*>(data), size));
  if (result.cause.empty()) std::abort();
  if (!result.known && (!result.cure.empty() || result.bytes)) std::abort();
  if (result.bytes && *result.bytes < 0) std::abort();
  return 0;
}
