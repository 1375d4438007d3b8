#include "halftone/kernels/dequantize/dequantize.h"

#include <numeric>

#include "halftone/kernels/test_codes.h"
#include "halftone/quant/quant_params.h"

namespace halftone::kernels::dequantize_test {
namespace {

TEST(Dequantize, EveryCodeOnRowsWithGaps) {
  for (const float scale : {1.0F, 0.0173F, 1.2e-38F, 1e37F}) {
    for (const int32_t zero_point : {0, 255, 128, 37}) {
      const DequantizeProblem problem = {scale, zero_point};
      for (const int64_t columns : test::odd_columns()) {
        const Rows rows = {3, columns, columns + 5, columns + 2};
        std::vector<uint8_t> from(static_cast<size_t>(3 * rows.from_stride) + kSlack);
        std::iota(from.begin(), from.end(), uint8_t{0});
        std::vector<float> expected(static_cast<size_t>(3 * rows.to_stride), -1.5F);
        for (int64_t r = 0; r < 3; ++r) {
          for (int64_t c = 0; c < columns; ++c) {
            expected[static_cast<size_t>(r * rows.to_stride + c)] =
                halftone::dequantize(from[static_cast<size_t>(r * rows.from_stride + c)], scale, zero_point);
          }
        }
        test::for_each_kernel(dequantize_kernels(), problem, [&](const DequantizeKernel& kernel) {
          std::vector<float> found(expected.size(), -1.5F);
          kernel.run(problem, rows, from.data(), found.data());
          ASSERT_EQ(found, expected) << columns;
        });
      }
    }
  }
}

}  // namespace
}  // namespace halftone::kernels::dequantize_test
