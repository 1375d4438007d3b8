#include "halftone/ptq/rounding/quadratic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"

namespace halftone::ptq::quadratic_test {
namespace {

std::vector<double> random_gram(int64_t size, int64_t rows, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> gram(static_cast<size_t>(size * size), 0.0), x(static_cast<size_t>(size));
  for (int64_t r = 0; r < rows; ++r) {
    for (double& v : x) v = rng.normal();
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < x.size(); ++j) gram[i * x.size() + j] += x[i] * x[j];
    }
  }
  return gram;
}

TEST(Quadratic, FactorMultipliesBackAndSolves) {
  for (const int64_t size : {1, 2, 3, 4, 5, 17, 64}) {
    const std::vector<double> gram = random_gram(size, 3 * size, 1);
    const Quadratic quadratic(size, gram, 0.01);
    double mean = 0;
    for (int64_t i = 0; i < size; ++i) mean += gram[static_cast<size_t>(i * size + i)] / static_cast<double>(size);
    EXPECT_NEAR(quadratic.added(), 0.01 * mean, 1e-12 * mean);
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (int64_t k = 0; k <= j; ++k) {
          sum += quadratic.factor_row(i)[static_cast<size_t>(k)] * quadratic.factor_row(j)[static_cast<size_t>(k)];
        }
        const double damped = gram[static_cast<size_t>(i * size + j)] + (i == j ? 0.01 * mean : 0);
        EXPECT_NEAR(sum, damped, 1e-10 * mean);
        EXPECT_EQ(quadratic.row(i)[static_cast<size_t>(j)], quadratic.row(j)[static_cast<size_t>(i)]);
      }
    }
    std::vector<double> x, product(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i) x.push_back(std::cos(static_cast<double>(i)));
    quadratic.multiply(x, product);
    double form = 0;
    for (size_t i = 0; i < x.size(); ++i) form += x[i] * product[i];
    EXPECT_NEAR(quadratic.error(x), form, 1e-10 * std::abs(form));
    quadratic.solve(product);
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(product[i], x[i], 1e-9);
  }
}

// Two samples for 40 inputs; inputs that are always zero; nothing but zeros.
TEST(Quadratic, SingularGramMatrices) {
  std::vector<double> dead = random_gram(6, 20, 2);
  for (size_t i = 0; i < 6; ++i) dead[i * 6 + 3] = dead[3 * 6 + i] = 0;
  for (const Quadratic& quadratic :
       {Quadratic(40, random_gram(40, 2, 3), 1e-6), Quadratic(6, dead, 0.01),
        Quadratic(4, std::vector<double>(16, 0.0), 0.01), Quadratic(2, {1e30, 1e30, 1e30, 1e30}, 1e-6)}) {
    std::vector<double> b(static_cast<size_t>(quadratic.size()), 1.0);
    quadratic.solve(b);
    for (const double v : b) EXPECT_TRUE(std::isfinite(v));
    EXPECT_GT(quadratic.error(std::vector<double>(b.size(), 1.0)), 0);
  }
}

}  // namespace
}  // namespace halftone::ptq::quadratic_test
