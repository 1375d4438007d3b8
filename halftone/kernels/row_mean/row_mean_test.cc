#include "halftone/kernels/row_mean/row_mean.h"

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::row_mean_test {
namespace {

TEST(RowMean, EveryKernelAndMode) {
  Rng rng(1);
  for (const int64_t columns : test::odd_columns()) {
    const Rows rows = {4, columns, columns + 5, 3};
    std::vector<uint8_t> from = test::random_codes(rng, 4 * rows.from_stride);
    for (int64_t c = 0; c < columns; ++c) from[static_cast<size_t>(c)] = 255;
    test::for_each_kernel(row_mean_kernels(), columns, [&](const RowMeanKernel& kernel) {
      for (const RequantizeMode mode : test::modes()) {
        for (const StoredGrid& to : test::grids()) {
          const MeanProblem problem = {mode, 201, to};
          const Factor factor = make_factor(make_multiplier(1.7, 1, static_cast<double>(columns)));
          std::vector<uint8_t> found = test::untouched(12), expected = found;
          row_mean(problem, factor, kernel, rows, from.data(), found.data());
          for (int64_t r = 0; r < 4; ++r) {
            int32_t acc = 0;
            for (int64_t c = 0; c < columns; ++c) acc += from[static_cast<size_t>(r * rows.from_stride + c)] - 201;
            expected[static_cast<size_t>(3 * r)] =
                static_cast<uint8_t>(mode == RequantizeMode::Float
                                         ? halftone::requantize(acc, factor.multiplier, to.zero_point, to.low, to.high)
                                         : requantize_dyadic(acc, factor.dyadic, to.zero_point, to.low, to.high));
          }
          ASSERT_EQ(found, expected) << columns;
        }
      }
    });
  }
}

TEST(RowMean, SumsBeyond32Bits) {
  const std::vector<uint8_t> row((1 << 24) + kSlack, 255);
  test::for_each_kernel(row_mean_kernels(), int64_t{1} << 24, [&](const RowMeanKernel& kernel) {
    EXPECT_EQ(kernel.run(row.data(), 1 << 24), int64_t{255} << 24);
  });
}

}  // namespace
}  // namespace halftone::kernels::row_mean_test
