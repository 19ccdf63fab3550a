// How the process gives memory back.
#pragma once

namespace shm::runtime {

// Once, first in main of a program that is linked with jemalloc. What a burst took goes back to the
// system within seconds after it is freed.
void GiveMemoryBack();

}  // namespace shm::runtime
