// Packs the buffers of a program into one arena.
#pragma once

#include <cstddef>
#include <vector>

namespace halftone::runtime {

// A buffer is needed from the first to the last step that touches it, both included.
struct BufferLife {
  size_t bytes = 0;
  int first_step = -1;  // -1: never touched
  int last_step = -1;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // multiples of 64
  size_t arena_bytes = 0;
};

// Buffers whose lives overlap never share bytes. Greedy by size: the largest first, each at the lowest offset that is
// free during its life. Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020,
// section 5.2. Cost: O(buffers^2).
MemoryPlan plan_memory(const std::vector<BufferLife>& buffers);

}  // namespace halftone::runtime
