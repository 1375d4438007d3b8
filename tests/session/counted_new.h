// Counts calls of operator new in this program.
#pragma once

#include <cstdint>

namespace halftone::test {

// How often Halftone's code (whatever is not inside oneDNN's library) has allocated memory, and how many allocations of
// everybody's are still alive. All threads.
int64_t own_allocations();
int64_t live_allocations();

}  // namespace halftone::test
