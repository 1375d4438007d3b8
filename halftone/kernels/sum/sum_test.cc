#include "halftone/kernels/sum/sum.h"

#include <cmath>
#include <limits>

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::sum_test {
namespace {

using test::for_each_kernel;
using test::random_codes;
using test::untouched;

SumProblem problem_of(RequantizeMode mode, int32_t za, int32_t zb, float ma, float mb, const StoredGrid& to) {
  SumProblem p;
  p.mode = mode;
  p.a_zero_point = za;
  p.b_zero_point = zb;
  p.a_multiplier = ma;
  p.b_multiplier = mb;
  p.dyadic = *make_dyadic_sum(ma, std::max(za, 255 - za), mb, std::max(zb, 255 - zb));
  p.to = to;
  return p;
}

// The formulas of docs/quantization.md.
int32_t expected_code(const SumProblem& p, uint8_t a, uint8_t b) {
  const int32_t xa = a - p.a_zero_point, xb = b - p.b_zero_point;
  if (p.mode == RequantizeMode::Dyadic) {
    return requantize_dyadic_sum(xa, xb, p.dyadic, p.to.zero_point, p.to.low, p.to.high);
  }
  const volatile float left = static_cast<float>(xa) * p.a_multiplier, right = static_cast<float>(xb) * p.b_multiplier;
  const volatile float steps = left + right;
  return to_code(steps, p.to.zero_point, p.to.low, p.to.high);
}

TEST(Sum, EveryPairOfCodes) {
  std::vector<uint8_t> a(65536 + kSlack), b(65536 + kSlack);
  for (size_t i = 0; i < 65536; ++i) {
    a[i] = static_cast<uint8_t>(i / 256);
    b[i] = static_cast<uint8_t>(i);
  }
  struct Multipliers {
    float a, b;
  };
  for (const Multipliers m : {Multipliers{1, 1}, {0.5F, 0.25F}, {0.7331F, 1.2077F}, {3e-3F, 40}, {1e5F, 2e6F}}) {
    for (const RequantizeMode mode : test::modes()) {
      for (const StoredGrid& to : test::grids()) {
        for (const int32_t za : {0, 255, 99}) {
          const SumProblem problem = problem_of(mode, za, 255 - za / 2, m.a, m.b, to);
          std::vector<uint8_t> expected = untouched(65536);
          for (size_t i = 0; i < 65536; ++i) expected[i] = static_cast<uint8_t>(expected_code(problem, a[i], b[i]));
          for_each_kernel(sum_kernels(), problem, [&](const SumKernel& kernel) {
            std::vector<uint8_t> found = untouched(65536);
            kernel.run(problem, {1, 65536, 0, 0, 0}, a.data(), b.data(), found.data());
            ASSERT_EQ(found, expected);
          });
        }
      }
    }
  }
}

TEST(Sum, TailsGapsAndRepeats) {
  Rng rng(3);
  for (const RequantizeMode mode : test::modes()) {
    for (const int64_t columns : test::odd_columns()) {
      for (const int64_t b_stride : {columns + 3, int64_t{0}}) {
        for (const int64_t b_step : {1, 0}) {
          SumProblem problem = problem_of(mode, 17, 255, 0.731F, 0.412F, {120, 2, 250});
          problem.b_step = b_step;
          const int64_t gap = b_stride == 0 && columns % 2 != 0 ? 0 : 1;  // rows without gaps run on
          const PairRows rows = {3, columns, columns + gap, b_stride, columns + 7 * gap};
          const std::vector<uint8_t> a = random_codes(rng, 3 * rows.a_stride), b = random_codes(rng, 3 * columns + 9);
          std::vector<uint8_t> expected = untouched(3 * rows.to_stride);
          for (int64_t r = 0; r < 3; ++r) {
            for (int64_t c = 0; c < columns; ++c) {
              expected[static_cast<size_t>(r * rows.to_stride + c)] =
                  static_cast<uint8_t>(expected_code(problem, a[static_cast<size_t>(r * rows.a_stride + c)],
                                                     b[static_cast<size_t>(r * rows.b_stride + c * b_step)]));
            }
          }
          for_each_kernel(sum_kernels(), problem, [&](const SumKernel& kernel) {
            std::vector<uint8_t> found = untouched(3 * rows.to_stride);
            kernel.run(problem, rows, a.data(), b.data(), found.data());
            ASSERT_EQ(found, expected) << columns;
          });
        }
      }
    }
  }
}

TEST(Sum, InPlace) {
  Rng rng(4);
  for (const RequantizeMode mode : test::modes()) {
    const SumProblem problem = problem_of(mode, 3, 200, 0.9F, 1.1F, {100, 0, 255});
    const std::vector<uint8_t> a = random_codes(rng, 333), b = random_codes(rng, 333);
    for_each_kernel(sum_kernels(), problem, [&](const SumKernel& kernel) {
      std::vector<uint8_t> left = a, right = b;
      kernel.run(problem, {1, 333, 0, 0, 0}, left.data(), b.data(), left.data());
      kernel.run(problem, {1, 333, 0, 0, 0}, a.data(), right.data(), right.data());
      for (size_t i = 0; i < 333; ++i) {
        ASSERT_EQ(left[i], expected_code(problem, a[i], b[i]));
        ASSERT_EQ(right[i], left[i]);
      }
    });
  }
}

TEST(Sum, ConstantsInFloatOfAnySize) {
  Rng rng(5);
  for (const int64_t columns : test::odd_columns()) {
    for (const int64_t b_step : {1, 0}) {
      SumProblem problem = problem_of(RequantizeMode::Float, 255, 0, 0.37F, 1, {50, 20, 255});
      problem.b_is_constant = true;
      problem.b_step = b_step;
      const std::vector<uint8_t> a = random_codes(rng, 2 * columns);
      std::vector<float> b(static_cast<size_t>(columns));  // no slack: words behind the row are not read
      for (float& value : b) value = static_cast<float>(rng.uniform(-200, 300));
      b[0] = 1.5F;
      b.back() = std::numeric_limits<float>::max();
      if (columns > 3) b[2] = -std::numeric_limits<float>::max();
      for_each_kernel(sum_kernels(), problem, [&](const SumKernel& kernel) {
        std::vector<uint8_t> found = untouched(2 * columns);
        kernel.run(problem, {2, columns, columns, 0, columns}, a.data(), b.data(), found.data());
        for (int64_t i = 0; i < 2 * columns; ++i) {
          const volatile float left = static_cast<float>(a[static_cast<size_t>(i)] - 255) * 0.37F;
          const volatile float steps = left + b[static_cast<size_t>(i % columns * b_step)];
          ASSERT_EQ(found[static_cast<size_t>(i)], to_code(steps, 50, 20, 255)) << i;
        }
        EXPECT_EQ(found[static_cast<size_t>(2 * columns)], 0xA5);
      });
    }
  }
}

TEST(Sum, ConstantsInFractions) {
  Rng rng(6);
  for (const int64_t columns : test::odd_columns()) {
    for (const int64_t b_step : {1, 0}) {
      SumProblem problem = problem_of(RequantizeMode::Dyadic, 31, 0, 0.37F, 1, {50, 20, 255});
      problem.b_is_constant = true;
      problem.b_step = b_step;
      const std::vector<uint8_t> a = random_codes(rng, 2 * columns);
      std::vector<int32_t> b(static_cast<size_t>(columns));
      // All that |xa| * M + |b| + 2^(s-1) < 2^31 leaves.
      const int64_t room =
          INT32_MAX - int64_t{224} * problem.dyadic.multiplier_a - (int64_t{1} << problem.dyadic.shift) / 2;
      for (int32_t& value : b) value = static_cast<int32_t>(rng.below(static_cast<uint64_t>(2 * room + 1)) - room);
      for_each_kernel(sum_kernels(), problem, [&](const SumKernel& kernel) {
        std::vector<uint8_t> found = untouched(2 * columns);
        kernel.run(problem, {2, columns, columns, 0, columns}, a.data(), b.data(), found.data());
        for (int64_t i = 0; i < 2 * columns; ++i) {
          const int64_t constant = b[static_cast<size_t>(i % columns * b_step)];
          ASSERT_EQ(found[static_cast<size_t>(i)],
                    requantize_dyadic_sum(a[static_cast<size_t>(i)] - 31, constant, problem.dyadic, 50, 20, 255))
              << i;
        }
        EXPECT_EQ(found[static_cast<size_t>(2 * columns)], 0xA5);
      });
    }
  }
}

TEST(Sum, RefusalsAndWhatIsLeftForThem) {
  SumProblem gaps = problem_of(RequantizeMode::Float, 3, 4, 1, 1, {});
  gaps.a_step = 2;
  gaps.b_step = 3;
  EXPECT_EQ(choose_sum(gaps).kernel->name, "sum_portable");
  const std::vector<uint8_t> a = {10, 0, 20, 0}, b = {1, 0, 0, 2};
  std::vector<uint8_t> to(2);
  choose_sum(gaps).kernel->run(gaps, {1, 2, 0, 0, 0}, a.data(), b.data(), to.data());
  EXPECT_EQ(to, (std::vector<uint8_t>{4, 15}));
  const SumProblem large = problem_of(RequantizeMode::Float, 3, 4, 1e6F, 4e6F, {});
  EXPECT_EQ(choose_sum(large).kernel->name, "sum_portable");
  EXPECT_EQ(choose_sum(large).refusals.size(), sum_kernels().size() - 1);
}

}  // namespace
}  // namespace halftone::kernels::sum_test
