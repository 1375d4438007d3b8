#include "halftone/kernels/transpose/transpose.h"

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::transpose_test {
namespace {

TEST(Transpose, EveryKernelOnOddShapes) {
  Rng rng(1);
  for (const int64_t count : {1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64, 100, 1001}) {
    for (const int64_t columns : test::odd_columns()) {
      for (const bool gaps : {false, true}) {
        const Rows rows = {count, columns, columns + (gaps ? 3 : 0), count + (gaps ? 5 : 0)};
        // Without slack: sanitizers see what is read behind the last row.
        std::vector<uint8_t> from = test::random_codes(rng, count * rows.from_stride);
        from.resize(static_cast<size_t>((count - 1) * rows.from_stride + columns));
        from.shrink_to_fit();
        std::vector<uint8_t> expected = test::untouched(columns * rows.to_stride);
        for (int64_t r = 0; r < count; ++r) {
          for (int64_t c = 0; c < columns; ++c) {
            expected[static_cast<size_t>(c * rows.to_stride + r)] = from[static_cast<size_t>(r * rows.from_stride + c)];
          }
        }
        test::for_each_kernel(transpose_kernels(), rows, [&](const TransposeKernel& kernel) {
          std::vector<uint8_t> found = test::untouched(columns * rows.to_stride);
          kernel.run(rows, from.data(), found.data());
          ASSERT_EQ(found, expected) << count << " x " << columns;
        });
      }
    }
  }
}

}  // namespace
}  // namespace halftone::kernels::transpose_test
