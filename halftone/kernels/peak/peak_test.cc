// The yardstick itself: every loop does the work that its line claims, and reading reads everything.

#include "halftone/kernels/peak/peak.h"

#include <gtest/gtest.h>

#include <vector>

#include "halftone/base/rng.h"

namespace halftone::kernels::peak_test {
namespace {

TEST(Peak, NoLoopLosesItsWork) {
  for (const PeakLoop& loop : peak_loops()) {
    if (!has_isa(loop.isa)) continue;
    const double rate = measure(loop);
    // No core has more than two such multipliers and 8 GHz; a compiler that merges steps or drops them gets beyond.
    EXPECT_LT(rate, 16.0 * loop.operations) << loop.name;
    EXPECT_GT(rate, 0) << loop.name;
  }
}

TEST(Peak, TheBestLoopOfAUnitIsOneOfIts) {
  for (const PeakUnit unit : {PeakUnit::Int8, PeakUnit::Int16, PeakUnit::Float}) {
    const Peak peak = measure_peak(unit);
    EXPECT_EQ(peak.loop.empty(), !has_isa(Isa::Avx2));
    for (const PeakLoop& loop : peak_loops()) {
      if (loop.name == peak.loop) {
        EXPECT_EQ(loop.unit, unit);
      }
    }
  }
}

TEST(Peak, ReadingReadsEveryWord) {
  Rng rng(1);
  for (const size_t size : {0, 1, 7, 8, 9, 1000, 1003}) {
    std::vector<uint64_t> words(size);
    uint64_t all = 0;
    for (uint64_t& word : words) all ^= word = rng.next();
    EXPECT_EQ(read_all(words), all) << size;
  }
  EXPECT_GT(measure_read_bandwidth(1 << 14), 0);
}

}  // namespace
}  // namespace halftone::kernels::peak_test
