#include "halftone/runtime/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace halftone::runtime {
namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool overlap(const BufferLife& a, const BufferLife& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<BufferLife>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<size_t> placed;  // by ascending offset
  for (size_t i : order) {
    if (buffers[i].first_step < 0) continue;
    size_t offset = 0;
    for (size_t other : placed) {
      if (!overlap(buffers[i], buffers[other])) continue;
      if (offset + buffers[i].bytes <= plan.offsets[other]) break;  // the gap before it is wide enough
      offset = std::max(offset, aligned(plan.offsets[other] + buffers[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.arena_bytes = std::max(plan.arena_bytes, aligned(offset + buffers[i].bytes));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
                  i);
  }
  return plan;
}

}  // namespace halftone::runtime
