// Any bytes as a quantity: it is refused with words, or its value is written and read back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value =
      shm::ParseQuantity(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value.ok()) {
    if (value.error().message.empty()) std::abort();
    return 0;
  }
  if (*value < 0) std::abort();
  const auto again = shm::ParseQuantity(shm::FormatBytes(*value));
  if (!again.ok() || *again != *value) std::abort();
  return 0;
}
