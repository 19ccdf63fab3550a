#include "runtime/memory.h"

#include <sys/prctl.h>

// jemalloc reads it where it is linked (docs/adr/0010). Two arenas: threads share what they freed.
// Free pages go back to the system at once.
extern "C" const char* malloc_conf;
const char* malloc_conf = "narenas:2,dirty_decay_ms:0,muzzy_decay_ms:0";

namespace shm::runtime {

void GiveMemoryBack() {
  // A body's room is reserved by the length that its peer announces: its first byte is to cost a
  // page, not 2 MiB.
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

}  // namespace shm::runtime
