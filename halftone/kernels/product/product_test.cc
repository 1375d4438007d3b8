#include "halftone/kernels/product/product.h"

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::product_test {
namespace {

using test::for_each_kernel;
using test::random_codes;
using test::untouched;

int32_t code_of(RequantizeMode mode, int32_t acc, float multiplier, const StoredGrid& to) {
  return mode == RequantizeMode::Float
             ? halftone::requantize(acc, multiplier, to.zero_point, to.low, to.high)
             : requantize_dyadic(acc, make_dyadic(multiplier), to.zero_point, to.low, to.high);
}

// From "all codes are 0" over one that hits many ties to "everything saturates".
const std::vector<float> kMultipliers = {1e-30F, 2.3e-10F, 1.0F / 256, 1.7e-3F, 0.5F, 1, 3e4F, 1e20F, 3e38F};

TEST(Product, EveryPairOfCodes) {
  std::vector<uint8_t> a(65536 + kSlack), b(65536 + kSlack);
  for (size_t i = 0; i < 65536; ++i) {
    a[i] = static_cast<uint8_t>(i / 256);
    b[i] = static_cast<uint8_t>(i);
  }
  for (const float multiplier : kMultipliers) {
    for (const RequantizeMode mode : test::modes()) {
      for (const StoredGrid& to : test::grids()) {
        const int32_t za = to.low == 0 ? 255 : 13, zb = to.zero_point;
        const ProductProblem problem = {mode, false, za, zb, make_factor(multiplier), to};
        std::vector<uint8_t> expected = untouched(65536);
        for (size_t i = 0; i < 65536; ++i) {
          expected[i] = static_cast<uint8_t>(code_of(mode, (a[i] - za) * (b[i] - zb), multiplier, to));
        }
        for_each_kernel(product_kernels(), problem, [&](const ProductKernel& kernel) {
          std::vector<uint8_t> found = untouched(65536);
          kernel.run(problem, {1, 65536, 0, 0, 0}, a.data(), b.data(), found.data());
          ASSERT_EQ(found, expected) << multiplier;
        });
      }
    }
  }
}

TEST(Product, GatesRepeatRowsAndElements) {
  Rng rng(3);
  const StoredGrid to = {90, 5, 251};
  for (const RequantizeMode mode : test::modes()) {
    for (const int64_t columns : test::odd_columns()) {
      for (const int64_t b_stride : {columns + 3, int64_t{0}}) {
        for (const int64_t b_step : {1, 0}) {
          const ProductProblem problem = {mode, false, 17, 200, make_factor(0.0123F), to, 1, b_step};
          const int64_t gap = b_stride == 0 && columns % 2 != 0 ? 0 : 1;  // rows without gaps run on
          const PairRows rows = {3, columns, columns + gap, b_stride, columns + 7 * gap};
          const std::vector<uint8_t> a = random_codes(rng, 3 * rows.a_stride), b = random_codes(rng, 3 * columns + 9);
          std::vector<uint8_t> expected = untouched(3 * rows.to_stride);
          for (int64_t r = 0; r < 3; ++r) {
            for (int64_t c = 0; c < columns; ++c) {
              const int32_t xa = a[static_cast<size_t>(r * rows.a_stride + c)] - 17,
                            xb = b[static_cast<size_t>(r * rows.b_stride + c * b_step)] - 200;
              expected[static_cast<size_t>(r * rows.to_stride + c)] =
                  static_cast<uint8_t>(code_of(mode, xa * xb, 0.0123F, to));
            }
          }
          for_each_kernel(product_kernels(), problem, [&](const ProductKernel& kernel) {
            std::vector<uint8_t> found = untouched(3 * rows.to_stride);
            kernel.run(problem, rows, a.data(), b.data(), found.data());
            ASSERT_EQ(found, expected) << columns;
          });
        }
      }
    }
  }
}

TEST(Product, ConstantsOfAnySignAndSize) {
  Rng rng(5);
  const StoredGrid to = {50, 20, 255};
  for (const RequantizeMode mode : test::modes()) {
    for (const int64_t columns : test::odd_columns()) {
      for (const int64_t b_step : {1, 0}) {
        ProductProblem problem = {mode, true, 255, 0, {}, to, 1, b_step};
        const std::vector<uint8_t> a = random_codes(rng, 2 * columns);
        std::vector<float> multipliers(static_cast<size_t>(columns));
        for (float& value : multipliers) value = static_cast<float>(rng.uniform(-2, 2));
        multipliers[0] = -0.5F;
        multipliers.back() = 3e38F;
        if (columns > 4) {
          multipliers[1] = 0;
          multipliers[2] = -3e38F;
          multipliers[3] = 1e-40F;
        }
        std::vector<Dyadic> fractions;
        for (const float value : multipliers) fractions.push_back(make_dyadic(value));
        const void* b = mode == RequantizeMode::Float ? static_cast<const void*>(multipliers.data()) : fractions.data();
        for_each_kernel(product_kernels(), problem, [&](const ProductKernel& kernel) {
          std::vector<uint8_t> found = untouched(2 * columns);
          kernel.run(problem, {2, columns, columns, 0, columns}, a.data(), b, found.data());
          for (int64_t i = 0; i < 2 * columns; ++i) {
            const float multiplier = multipliers[static_cast<size_t>(i % columns * b_step)];
            ASSERT_EQ(found[static_cast<size_t>(i)], code_of(mode, a[static_cast<size_t>(i)] - 255, multiplier, to));
          }
          EXPECT_EQ(found[static_cast<size_t>(2 * columns)], 0xA5);
        });
      }
    }
  }
}

TEST(Product, InPlace) {
  Rng rng(4);
  for (const RequantizeMode mode : test::modes()) {
    const ProductProblem problem = {mode, false, 3, 200, make_factor(0.01F), {100, 0, 255}};
    const std::vector<uint8_t> a = random_codes(rng, 333), b = random_codes(rng, 333);
    for_each_kernel(product_kernels(), problem, [&](const ProductKernel& kernel) {
      std::vector<uint8_t> left = a;
      kernel.run(problem, {1, 333, 0, 0, 0}, left.data(), b.data(), left.data());
      for (size_t i = 0; i < 333; ++i) {
        ASSERT_EQ(left[i], code_of(mode, (a[i] - 3) * (b[i] - 200), 0.01F, {100, 0, 255}));
      }
    });
  }
}

}  // namespace
}  // namespace halftone::kernels::product_test
