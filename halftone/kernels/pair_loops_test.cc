#include "halftone/kernels/pair_loops.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halftone/base/rng.h"

namespace halftone::kernels::pair_loops_test {
namespace {

struct Elements {
  std::vector<int64_t> a, b;  // by position of the result
};

// By the definition, and through the loops with a cut.
void expect_same(const std::vector<PairAxis>& axes, int64_t cut_at) {
  int64_t count = 1;
  for (const PairAxis& axis : axes) count *= axis.extent;
  Elements expected{std::vector<int64_t>(static_cast<size_t>(count), -1),
                    std::vector<int64_t>(static_cast<size_t>(count), -1)};
  Elements found = expected;
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, a = 0, b = 0, to = 0;
    for (size_t d = axes.size(); d-- > 0; rest /= axes[d].extent) {
      a += rest % axes[d].extent * axes[d].a_stride;
      b += rest % axes[d].extent * axes[d].b_stride;
      to += rest % axes[d].extent * axes[d].to_stride;
    }
    expected.a[static_cast<size_t>(to)] = a;
    expected.b[static_cast<size_t>(to)] = b;
  }
  const PairLoops loops = make_pair_loops(axes);
  const auto visit = [&](const PairRows& rows, int64_t a, int64_t b, int64_t to) {
    for (int64_t r = 0; r < rows.count; ++r) {
      for (int64_t c = 0; c < rows.columns; ++c) {
        const auto at = static_cast<size_t>(to + r * rows.to_stride + c);
        ASSERT_EQ(found.a[at], -1);
        found.a[at] = a + r * rows.a_stride + c * loops.a_step;
        found.b[at] = b + r * rows.b_stride + c * loops.b_step;
      }
    }
  };
  const int64_t cut = cut_at % (loops.row_count() + 1);
  loops.run(cut, loops.row_count(), visit);
  loops.run(0, cut, visit);
  ASSERT_EQ(found.a, expected.a);
  ASSERT_EQ(found.b, expected.b);
}

TEST(PairLoops, AreTheBroadcast) {
  Rng rng(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<PairAxis> axes(1 + rng.below(6));
    int64_t a = 1, b = 1, to = 1;
    for (size_t d = axes.size(); d-- > 0;) {
      PairAxis& axis = axes[d];
      axis.extent = 1 + static_cast<int64_t>(rng.below(4));
      const uint64_t repeats = rng.below(4);
      axis.to_stride = to;
      to *= axis.extent;
      if (repeats != 1) axis.a_stride = a, a *= axis.extent;
      if (repeats != 2) axis.b_stride = b, b *= axis.extent;
    }
    expect_same(axes, static_cast<int64_t>(rng.below(100)));
  }
}

TEST(PairLoops, OneShapeIsOneRow) {
  const PairLoops loops = make_pair_loops({{2, 60, 60, 60}, {3, 20, 20, 20}, {20, 1, 1, 1}});
  EXPECT_TRUE(loops.outer.empty());
  EXPECT_EQ(loops.rows.count, 1);
  EXPECT_EQ(loops.rows.columns, 120);
  EXPECT_EQ(make_pair_loops({}).rows.columns, 1);
}

// [n, h, w, c] beside [n, 1, 1, c]: a row for all pixels of an image.
TEST(PairLoops, AGateRepeatsARow) {
  const PairLoops loops = make_pair_loops({{2, 60, 5, 60}, {3, 20, 0, 20}, {4, 5, 0, 5}, {5, 1, 1, 1}});
  ASSERT_EQ(loops.outer.size(), 1u);
  EXPECT_EQ(loops.rows.count, 12);
  EXPECT_EQ(loops.rows.columns, 5);
  EXPECT_EQ(loops.rows.b_stride, 0);
  EXPECT_EQ(loops.a_step, 1);
  EXPECT_EQ(loops.b_step, 1);
}

}  // namespace
}  // namespace halftone::kernels::pair_loops_test
