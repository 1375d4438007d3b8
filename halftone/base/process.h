// Facts about this process.
#pragma once

#include <functional>

namespace halftone {

// The most memory this process has ever held resident, in MiB.
double peak_rss_mib();

// The most memory, in MiB, that a process holds resident which is split off here, does `work`, and ends; 0 when that
// fails or throws. Only the thread that calls lives on in it, so call it before others are started.
double peak_rss_mib_of(const std::function<void()>& work);

// Hands memory that was freed back to the system, which the C library otherwise keeps, in every thread's heap of its
// own. For work that goes on for long and needs other sizes from step to step. Costs a millisecond or so, and page
// faults when the memory is needed again.
void release_freed_memory();

}  // namespace halftone
