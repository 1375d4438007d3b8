#include "halftone/ptq/blocks/learned_grid.h"

#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/tensor/tensor.h"

namespace halftone::ptq::learned_grid_test {
namespace {

std::vector<float> numbers(int count) {
  std::vector<float> x(static_cast<size_t>(count));
  Rng rng(7);
  for (float& v : x) v = static_cast<float>(3 * rng.normal());
  return x;
}

TEST(LearnedGrid, RoundsAsTheModelDoes) {
  const std::vector<float> x = numbers(1000);
  for (const QuantParams& params :
       {QuantParams{DType::UInt4, 0, 15, {0.25F}, {0}}, QuantParams{DType::UInt4, 0, 15, {0.5F}, {6}},
        QuantParams{DType::Int4, -8, 7, {0.125F}, {-2}}, QuantParams{DType::UInt8, 0, 3, {2.0F}, {1}}}) {
    std::vector<float> y(x.size());
    round_to(LearnedGrid::of(params), x, {}, y);
    EXPECT_EQ(y, to_vector<float>(fake_quantize(Tensor::from<float>({1000}, x), params)));
  }
}

TEST(LearnedGrid, DroppedNumbersStayReal) {
  const std::vector<float> x = numbers(100);
  const LearnedGrid grid{0.5F, 0, 0, 7};
  const std::vector<uint64_t> mask = {0xF0F0F0F0F0F0F0F0, 0x1};
  std::vector<float> y(x.size()), all(x.size()), slope(x.size(), 1.0F);
  round_to(grid, x, {}, all);
  round_to(grid, x, mask, y);
  slope_through(grid, x, mask, slope);
  for (size_t i = 0; i < x.size(); ++i) {
    const bool dropped = (mask[i / 64] >> (i % 64) & 1) != 0;
    EXPECT_EQ(y[i], dropped ? x[i] : all[i]);
    EXPECT_EQ(slope[i], dropped || (x[i] >= 0 && x[i] <= 3.5F) ? 1.0F : 0.0F) << x[i];
  }
}

// Beyond the grid the result is s times a bound: the slope is exact and can be measured. Inside, rounding counts as the
// identity: (y - x) / s.
TEST(LearnedGrid, SlopesByTheScale) {
  const LearnedGrid grid{0.5F, 2, 0, 7};
  for (const float x : {-40.0F, -1.2F, 0.9F, 1.13F, 2.4F, 40.0F}) {
    float y = 0, slope = 3;
    round_to(grid, {&x, 1}, {}, {&y, 1});
    const double found = slope_through(grid, {&x, 1}, {}, {&slope, 1});
    const bool inside = x >= -1 && x <= 2.5F;
    if (inside) {
      EXPECT_FLOAT_EQ(static_cast<float>(found), 3 * (y - x) / grid.scale);
    } else {
      LearnedGrid wider = grid;
      wider.scale *= 1.5F;
      float later = 0;
      round_to(wider, {&x, 1}, {}, {&later, 1});
      EXPECT_FLOAT_EQ(static_cast<float>(found), 3 * (later - y) / (wider.scale - grid.scale));
    }
    EXPECT_EQ(slope, inside ? 3.0F : 0.0F);
  }
}

}  // namespace
}  // namespace halftone::ptq::learned_grid_test
