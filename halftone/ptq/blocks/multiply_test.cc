#include "halftone/ptq/blocks/multiply.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "halftone/base/cpu.h"
#include "halftone/base/rng.h"

namespace halftone::ptq::multiply_test {
namespace {

std::vector<MultiplyKernels> all_kernels() {
  std::vector<MultiplyKernels> kernels = {multiply_kernels_portable()};
  if (has_isa(Isa::Avx2)) kernels.push_back(multiply_kernels_avx2());
  if (has_isa(Isa::Avx512)) kernels.push_back(multiply_kernels_avx512());
  return kernels;
}

// Small whole numbers, so that sums are exact in any order.
std::vector<float> whole_numbers(int64_t count, uint64_t seed) {
  std::vector<float> numbers(static_cast<size_t>(count));
  Rng rng(seed);
  for (float& v : numbers) v = static_cast<float>(rng.below(17)) - 8;
  return numbers;
}

TEST(Multiply, EveryShapeExactly) {
  for (const MultiplyKernels& kernels : all_kernels()) {
    for (int64_t m : {1, 2, 5, 6, 7, 13}) {
      for (int64_t n : {1, 3, 15, 16, 17, 32, 49, 70}) {
        for (int64_t k : {1, 9, 16, 33}) {
          // Rows with something between them that must not be read, or written.
          const std::vector<float> a = whole_numbers(m * (k + 3), 1), b = whole_numbers(k * (n + 2), 2);
          const std::vector<float> rows = whole_numbers(n * (k + 2), 3);
          std::vector<float> c = whole_numbers(m * (n + 1), 4);
          const std::vector<float> before = c;
          kernels.multiply({m, n, k, a.data(), k + 3, 1, b.data(), n + 2, c.data(), n + 1});
          std::vector<float> d = before, e = before;
          kernels.multiply_rows({m, n, k, a.data(), k + 3, 1, rows.data(), k + 2, d.data(), n + 1});
          const std::vector<float> turned = whole_numbers(k * (m + 1), 5);
          kernels.multiply({m, n, k, turned.data(), 1, m + 1, b.data(), n + 2, e.data(), n + 1});
          for (int64_t i = 0; i < m; ++i) {
            for (int64_t j = 0; j <= n; ++j) {
              const auto at = static_cast<size_t>(i * (n + 1) + j);
              double expected = before[at], of_rows = before[at], of_turned = before[at];
              for (int64_t q = 0; q < k && j < n; ++q) {
                expected += double{a[static_cast<size_t>(i * (k + 3) + q)]} * b[static_cast<size_t>(q * (n + 2) + j)];
                of_rows += double{a[static_cast<size_t>(i * (k + 3) + q)]} * rows[static_cast<size_t>(j * (k + 2) + q)];
                of_turned +=
                    double{turned[static_cast<size_t>(q * (m + 1) + i)]} * b[static_cast<size_t>(q * (n + 2) + j)];
              }
              ASSERT_EQ(double{c[at]}, expected) << m << " " << n << " " << k;
              ASSERT_EQ(double{d[at]}, of_rows) << m << " " << n << " " << k;
              ASSERT_EQ(double{e[at]}, of_turned) << m << " " << n << " " << k;
            }
          }
        }
      }
    }
  }
}

TEST(Multiply, InstructionSetsGiveTheSameNumbers) {
  constexpr int64_t m = 7, n = 53, k = 201;
  std::vector<float> a(m * k), b(k * n);
  Rng rng(1);
  for (float& v : a) v = static_cast<float>(rng.normal());
  for (float& v : b) v = static_cast<float>(rng.normal());
  std::vector<std::vector<float>> results;
  for (const MultiplyKernels& kernels : all_kernels()) {
    std::vector<float> c(m * n), d(m * n);
    kernels.multiply({m, n, k, a.data(), k, 1, b.data(), n, c.data(), n});
    kernels.multiply_rows({m, n, k, a.data(), k, 1, b.data(), k, d.data(), n});
    c.insert(c.end(), d.begin(), d.end());
    results.push_back(c);
  }
  for (const auto& result : results) EXPECT_EQ(result, results.front());
}

}  // namespace
}  // namespace halftone::ptq::multiply_test
