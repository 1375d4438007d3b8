// Every kernel of kernels.def that this processor runs against the definition, bit for bit.
#include "halftone/kernels/matmul/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::kernels::matmul_test {
namespace {

struct MatMulCase {
  int64_t rows = 1, depth = 1, columns = 1;
  bool zero_point_per_row = false, row_scales = false, extremes = false;
  int32_t b_zero_point = 9;
  int exponent = 0;  // of the multiplier, from the usual one
  StoredGrid grid = {17, 0, 255};
};

class MatMulOperands {
 public:
  explicit MatMulOperands(const MatMulCase& test) : test_(test), rng_(static_cast<uint64_t>(test.depth)) {
    fill(a_, test.rows * (test.depth + 3));
    fill(b_, test.depth * (test.columns + 5));
    for (int64_t r = 0; r < test.rows; ++r) {
      zero_points_.push_back(test.extremes ? 255 * static_cast<int32_t>(r % 2) : static_cast<int32_t>(rng_.below(256)));
      scales_.push_back(static_cast<float>(rng_.uniform(0.1, 4)));
    }
  }

  std::vector<uint8_t> result(const MatMulKernel& kernel, RequantizeMode mode, MatMulResult result) const {
    const MatMulProblem problem = {test_.depth, test_.columns, mode, result};
    const int64_t element = result == MatMulResult::Real ? 4 : 1, stride = element * (test_.columns + 2);
    std::vector<uint8_t> to(static_cast<size_t>(test_.rows * stride + 64), 0xA5);
    const float multiplier =
        static_cast<float>(std::ldexp(0.013 / std::sqrt(static_cast<double>(test_.depth)), test_.exponent));
    std::vector<std::byte> scratch(kernel.scratch_bytes(problem) + 64);
    const size_t misaligned = reinterpret_cast<uintptr_t>(scratch.data()) % 64;
    kernel.run(problem, {.a = a_.data(),
                         .a_stride = test_.depth + 3,
                         .b = b_.data(),
                         .b_stride = test_.columns + 5,
                         .to = to.data(),
                         .to_stride = stride,
                         .rows = test_.rows,
                         .a_zero_points = zero_points_.data(),
                         .a_zero_point_step = test_.zero_point_per_row ? 1 : 0,
                         .b_zero_point = test_.b_zero_point,
                         .factor = make_factor(multiplier),
                         .row_scales = test_.row_scales ? scales_.data() : nullptr,
                         .grid = test_.grid,
                         .scratch = scratch.data() + (misaligned == 0 ? 0 : 64 - misaligned)});
    return to;
  }

 private:
  void fill(std::vector<uint8_t>& codes, int64_t count) {
    codes.resize(static_cast<size_t>(count) + kSlack);
    for (uint8_t& code : codes) {
      code = static_cast<uint8_t>(test_.extremes ? 255 * rng_.below(2) : rng_.below(256));
    }
  }
  MatMulCase test_;
  Rng rng_;
  std::vector<uint8_t> a_, b_;
  std::vector<int32_t> zero_points_;
  std::vector<float> scales_;
};

class MatMulKernels : public testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    if (!has_isa(kernel().isa)) GTEST_SKIP() << "this processor lacks " << kernel().name;
  }
  static const MatMulKernel& kernel() { return matmul_kernels()[GetParam()]; }

  void check(const MatMulCase& test) {
    const MatMulOperands operands(test);
    const MatMulKernel& reference = matmul_kernels().back();
    for (RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
      for (MatMulResult result : {MatMulResult::Codes, MatMulResult::Real}) {
        ASSERT_EQ(operands.result(reference, mode, result), operands.result(kernel(), mode, result))
            << test.rows << " rows, depth " << test.depth << ", " << test.columns << " columns, mode "
            << static_cast<int>(mode) << ", result " << static_cast<int>(result);
      }
    }
  }
};

TEST_P(MatMulKernels, OddSizes) {
  for (int64_t columns : {1, 15, 31, 32, 33, 63, 64, 65, 130}) {
    for (int64_t depth : {1, 2, 3, 64, 77}) {
      for (int64_t rows = 1; rows <= 13; ++rows) check({.rows = rows, .depth = depth, .columns = columns});
    }
  }
}

TEST_P(MatMulKernels, GridsByRow) {
  check({.rows = 17, .depth = 40, .columns = 50, .zero_point_per_row = true, .row_scales = true});
}

TEST_P(MatMulKernels, Extremes) {
  for (int32_t zero_point : {0, 255}) {
    check({.rows = 9, .depth = 33000, .columns = 3, .extremes = true, .b_zero_point = zero_point});
    check({.rows = 9,
           .depth = 35,
           .columns = 70,
           .zero_point_per_row = true,
           .extremes = true,
           .b_zero_point = zero_point,
           .grid = {200, 13, 254}});
  }
}

TEST_P(MatMulKernels, MultipliersOfEverySize) {
  for (int exponent = -110; exponent <= 120; ++exponent) {
    check({.rows = 3, .depth = 20, .columns = 37, .exponent = exponent});
  }
}

INSTANTIATE_TEST_SUITE_P(All, MatMulKernels, testing::Range<size_t>(0, matmul_kernels().size()),
                         [](const auto& instance) { return std::string(matmul_kernels()[instance.param].name); });

}  // namespace
}  // namespace halftone::kernels::matmul_test
