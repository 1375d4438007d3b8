#include "halftone/kernels/quantize/quantize.h"

#include <bit>
#include <cmath>
#include <limits>

#include "halftone/kernels/test_codes.h"
#include "halftone/quant/quant_params.h"

namespace halftone::kernels::quantize_test {
namespace {

using test::for_each_kernel;
using test::untouched;

// The definition of quant_params.h.
uint8_t expected_code(const QuantizeProblem& p, float x) {
  return static_cast<uint8_t>(halftone::quantize(x, p.scale, p.grid.zero_point, p.grid.low, p.grid.high));
}

void expect_codes(const QuantizeProblem& problem, const std::vector<float>& from) {
  const auto count = static_cast<int64_t>(from.size());
  std::vector<uint8_t> expected = untouched(count);
  for (size_t i = 0; i < from.size(); ++i) expected[i] = expected_code(problem, from[i]);
  for_each_kernel(quantize_kernels(), problem, [&](const QuantizeKernel& kernel) {
    std::vector<uint8_t> found = untouched(count);
    kernel.run(problem, {1, count, count, count}, from.data(), found.data());
    for (size_t i = 0; i < from.size(); ++i) {
      ASSERT_EQ(found[i], expected[i]) << from[i] << " / " << problem.scale << " at " << i;
    }
    ASSERT_EQ(found, expected);
  });
}

const std::vector<float> kScales = {1, 0.5F, 0.02F, 0.0173F, 1.0F / 3, 2.1F, 1e-30F, 1.2e-38F, 1e30F, 3.3e38F};

TEST(Quantize, SpecialNumbers) {
  using Limits = std::numeric_limits<float>;
  std::vector<float> x = {0.0F,
                          -0.0F,
                          Limits::quiet_NaN(),
                          -Limits::quiet_NaN(),
                          Limits::infinity(),
                          -Limits::infinity(),
                          Limits::max(),
                          Limits::lowest(),
                          Limits::min(),
                          -Limits::min(),
                          Limits::denorm_min(),
                          -Limits::denorm_min(),
                          std::bit_cast<float>(0x7F800001U),
                          2147483648.0F,
                          -2147483648.0F,
                          2147483520.0F,
                          4294967296.0F,
                          1e20F};
  for (const float scale : kScales) {
    for (const StoredGrid& grid : test::grids()) expect_codes({scale, grid}, x);
  }
}

TEST(Quantize, TiesAndTheirNeighbours) {
  for (const float scale : kScales) {
    std::vector<float> x;
    for (int half = -520; half <= 520; ++half) {
      const float tie = scale * 0.5F * static_cast<float>(half);
      x.push_back(tie);
      for (const float towards : {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()}) {
        float neighbour = tie;
        for (int i = 0; i < 3; ++i) x.push_back(neighbour = std::nextafter(neighbour, towards));
      }
    }
    for (const StoredGrid& grid : test::grids()) expect_codes({scale, grid}, x);
  }
}

TEST(Quantize, RandomBits) {
  Rng rng(1);
  for (const float scale : kScales) {
    std::vector<float> x(20000);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = i % 2 == 0 ? std::bit_cast<float>(static_cast<uint32_t>(rng.next()))
                        : static_cast<float>(rng.uniform(-300, 300)) * scale;
    }
    expect_codes({scale, {100, 0, 255}}, x);
  }
}

TEST(Quantize, RowsWithGaps) {
  Rng rng(2);
  const QuantizeProblem problem = {0.037F, {120, 3, 250}};
  for (const int64_t columns : test::odd_columns()) {
    const Rows rows = {3, columns, columns + 2, columns + 5};
    // Nothing behind the last row may be read as far as it would matter: the floats there are NaN, the vector ends.
    std::vector<float> from(static_cast<size_t>(3 * columns + 4), std::numeric_limits<float>::quiet_NaN());
    std::vector<uint8_t> expected = untouched(3 * rows.to_stride);
    for (int64_t r = 0; r < 3; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        const auto at = static_cast<size_t>(r * rows.from_stride + c);
        from[at] = static_cast<float>(rng.uniform(-6, 6));
        expected[static_cast<size_t>(r * rows.to_stride + c)] = expected_code(problem, from[at]);
      }
    }
    for_each_kernel(quantize_kernels(), problem, [&](const QuantizeKernel& kernel) {
      std::vector<uint8_t> found = untouched(3 * rows.to_stride);
      kernel.run(problem, rows, from.data(), found.data());
      ASSERT_EQ(found, expected) << columns;
    });
  }
}

}  // namespace
}  // namespace halftone::kernels::quantize_test
