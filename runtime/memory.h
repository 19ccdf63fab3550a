// How the process gives memory back.
#pragma once

namespace shm::runtime {

// Once, first in main. What a burst took goes back to the system when it is freed: glibc else keeps
// blocks of up to 32 MiB once it has freed one of that size, in an arena for each thread.
void GiveMemoryBack();

}  // namespace shm::runtime
