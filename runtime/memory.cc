#include "runtime/memory.h"

#include <malloc.h>

namespace shm::runtime {

void GiveMemoryBack() {
  constexpr int kLarge = 256 * 1024;  // setting it also keeps glibc from raising it
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kLarge);
  mallopt(M_ARENA_MAX, 2);
}

}  // namespace shm::runtime
