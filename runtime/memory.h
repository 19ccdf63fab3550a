// How the process gives memory back.
#pragma once

namespace shm::runtime {

// Once, first in main of a program that is linked with jemalloc: what a burst took goes back to the
// system when it is freed.
void GiveMemoryBack();

}  // namespace shm::runtime
