#include "halftone/runtime/round.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "halftone/base/rng.h"

namespace halftone::runtime::round_test {
namespace {

// Bit for bit what quant_params.h defines: codes by quantize, back by dequantize.
TEST(RoundToGrid, IsDequantizeOfQuantize) {
  struct GridCase {
    float scale;
    int32_t zero_point;
    int64_t q_min, q_max;
  };
  const std::vector<GridCase> grids = {{0.1f, 0, -127, 127},
                                       {0.0235f, 114, 0, 255},
                                       {1.0f, -128, -128, 127},
                                       {3e-5f, 40000, 0, 65535},
                                       {0.25f, 3, 0, 15}};
  Rng rng(2);
  for (const GridCase& grid : grids) {
    std::vector<float> values = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, std::numeric_limits<float>::max(), 1e-40f};
    for (int i = 0; i < 5000; ++i) {
      values.push_back(static_cast<float>(rng.normal() * grid.scale * 150));
      // Halfway between two codes, where the rounding direction shows.
      values.push_back((static_cast<float>(rng.below(600)) - 300.5f) * grid.scale);
    }
    std::vector<float> rounded(values.size());
    round_to_grid(values.data(), rounded.data(), static_cast<int64_t>(values.size()), grid.scale, grid.zero_point,
                  grid.q_min, grid.q_max);
    for (size_t i = 0; i < values.size(); ++i) {
      const int32_t code = quantize(values[i], grid.scale, grid.zero_point, grid.q_min, grid.q_max);
      const float expected = dequantize(code, grid.scale, grid.zero_point);
      ASSERT_EQ(std::memcmp(&rounded[i], &expected, sizeof expected), 0)
          << values[i] << ": expected " << expected << ", found " << rounded[i];
    }
  }
}

}  // namespace
}  // namespace halftone::runtime::round_test
