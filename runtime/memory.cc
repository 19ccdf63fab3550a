#include "runtime/memory.h"

#include <malloc.h>
#include <sys/prctl.h>

namespace shm::runtime {

void GiveMemoryBack() {
  constexpr int kLarge = 256 * 1024;  // setting it also keeps glibc from raising it
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kLarge);
  mallopt(M_ARENA_MAX, 2);
  // A body's room is reserved by the length that its peer announces: its first byte is to cost a
  // page, not 2 MiB.
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

}  // namespace shm::runtime
