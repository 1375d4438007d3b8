#include "halftone/ptq/rounding/products.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"

namespace halftone::ptq::products_test {
namespace {

// Whole numbers below 2^24 in every partial sum: float32 and double give the same, exactly.
std::vector<float> whole_numbers(int64_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> numbers;
  for (int64_t i = 0; i < count; ++i) numbers.push_back(static_cast<float>(rng.below(41)) - 20);
  return numbers;
}

std::vector<double> direct(const MatrixView& a, const MatrixView& b) {
  std::vector<double> out;
  for (int64_t i = 0; i < a.columns; ++i) {
    for (int64_t j = 0; j < b.columns; ++j) {
      double sum = 0;
      for (int64_t r = 0; r < a.rows; ++r) {
        sum += double{a.data[r * a.row_step + i * a.column_step]} * b.data[r * b.row_step + j * b.column_step];
      }
      out.push_back(sum);
    }
  }
  return out;
}

struct Extents {
  int64_t rows, a, b;
};

TEST(Products, EqualDirectLoops) {
  ThreadTeam team(3);
  for (const Extents& e :
       std::vector<Extents>{{1, 1, 1}, {3, 5, 9}, {255, 4, 8}, {256, 64, 7}, {257, 65, 17}, {600, 130, 3}}) {
    const auto a = whole_numbers(e.rows * e.a, 1), b = whole_numbers(e.rows * e.b, 2);
    const MatrixView left{a.data(), e.rows, e.a, e.a, 1}, right{b.data(), e.rows, e.b, e.b, 1};
    std::vector<double> out(static_cast<size_t>(e.a * e.b), -1);
    sum_products(left, right, out.data(), e.b);
    EXPECT_EQ(out, direct(left, right)) << e.rows << " " << e.a << " " << e.b;
    std::vector<double> parallel(out.size(), -1);
    sum_products(left, right, parallel.data(), e.b, team);
    EXPECT_EQ(parallel, out);
    std::vector<double> gram(static_cast<size_t>(e.a * e.a), -1);
    sum_gram(left, gram.data(), team);
    EXPECT_EQ(gram, direct(left, left));
  }
}

TEST(Products, OfTransposedAndPartialViews) {
  const auto a = whole_numbers(7 * 12, 3), b = whole_numbers(9 * 12, 4);
  // Products of rows: a is 7 x 12, b 9 x 12, summed over their common 12.
  const MatrixView left = MatrixView{a.data(), 7, 12, 12, 1}.transposed();
  const MatrixView right = MatrixView{b.data(), 9, 12, 12, 1}.transposed();
  std::vector<double> out(7 * 9);
  sum_products(left, right, out.data(), 9);
  EXPECT_EQ(out, direct(left, right));
  const MatrixView part = MatrixView{a.data(), 7, 12, 12, 1}.columns_from(5, 3);
  std::vector<double> gram(9);
  sum_products(part, part, gram.data(), 3);
  EXPECT_EQ(gram, direct(part, part));
}

TEST(Products, DontDependOnTheNumberOfThreads) {
  Rng rng(5);
  std::vector<float> a(1000 * 150);
  for (float& v : a) v = static_cast<float>(rng.normal());
  const MatrixView view{a.data(), 1000, 150, 150, 1};
  std::vector<double> one(150 * 150), four(one);
  ThreadTeam single(1), several(4);
  sum_gram(view, one.data(), single);
  sum_gram(view, four.data(), several);
  EXPECT_EQ(one, four);
}

// Runs are summed in float32, but only runs: a million equal terms keep all their digits.
TEST(Products, LongSumsKeepTheirDigits) {
  const std::vector<float> tenth(1 << 20, 0.1F);
  const MatrixView view{tenth.data(), 1 << 20, 1, 1, 1};
  double out = 0;
  sum_products(view, view, &out, 1);
  const double expected = double{0.1F} * double{0.1F} * (1 << 20);
  EXPECT_LT(std::abs(out - expected), 1e-5 * expected);
}

}  // namespace
}  // namespace halftone::ptq::products_test
