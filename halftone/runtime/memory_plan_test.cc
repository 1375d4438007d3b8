#include "halftone/runtime/memory_plan.h"

#include <gtest/gtest.h>

#include "halftone/base/rng.h"

namespace halftone::runtime::memory_plan_test {
namespace {

bool share_bytes(const BufferLife& a, size_t a_at, const BufferLife& b, size_t b_at) {
  return a_at < b_at + b.bytes && b_at < a_at + a.bytes;
}

TEST(MemoryPlan, BuffersThatLiveTogetherAreApart) {
  Rng rng(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<BufferLife> buffers;
    size_t total = 0;
    for (int i = 0; i < 30; ++i) {
      const int first = static_cast<int>(rng.below(40)), last = first + static_cast<int>(rng.below(6));
      buffers.push_back({1 + rng.below(1000), first, last});
      total += (buffers.back().bytes + 63) / 64 * 64;
    }
    const MemoryPlan plan = plan_memory(buffers);
    EXPECT_LE(plan.arena_bytes, total);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0u);
      EXPECT_LE(plan.offsets[i] + buffers[i].bytes, plan.arena_bytes);
      for (size_t j = 0; j < i; ++j) {
        const bool together =
            buffers[i].first_step <= buffers[j].last_step && buffers[j].first_step <= buffers[i].last_step;
        EXPECT_FALSE(together && share_bytes(buffers[i], plan.offsets[i], buffers[j], plan.offsets[j]));
      }
    }
  }
}

TEST(MemoryPlan, AChainNeedsTwoBuffers) {
  std::vector<BufferLife> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({640, i, i + 1});
  EXPECT_EQ(plan_memory(chain).arena_bytes, 2u * 640);
}

TEST(MemoryPlan, UntouchedBuffersTakeNothing) { EXPECT_EQ(plan_memory({{1000, -1, -1}, {64, 0, 0}}).arena_bytes, 64u); }

}  // namespace
}  // namespace halftone::runtime::memory_plan_test
