// Every kernel of kernels.def that this processor runs against depthwise_reference, bit for bit.
#include "halftone/kernels/depthwise/depthwise.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "halftone/kernels/depthwise/depthwise_test_case.h"

namespace halftone::kernels::depthwise_test {
namespace {

// All kernels that this processor runs, each case's reference computed once for them all.
class DepthwiseKernels : public testing::Test {
 protected:
  // False after a failure.
  bool check_modes(DepthwiseCase test) {
    for (const auto& [mode, result] : {std::pair{RequantizeMode::Float, DepthwiseResult::Codes},
                                       {RequantizeMode::Dyadic, DepthwiseResult::Codes},
                                       {RequantizeMode::Float, DepthwiseResult::Real}}) {
      test.mode = mode;
      test.result = result;
      check(test);
      if (HasFailure()) return false;
    }
    return true;
  }
  std::set<std::string_view> refusing_;  // the kernels that refused something

 private:
  void check(const DepthwiseCase& test) {
    const DepthwiseOperands operands(test);
    const DepthwiseProblem problem = operands.problem();
    DepthwiseOutput want(test);
    depthwise_reference(problem, want.aim(operands.run()));
    for (const DepthwiseKernel& listed : depthwise_kernels()) {
      const DepthwiseKernel* kernel = find_depthwise(listed.name);
      if (kernel == nullptr) continue;  // this processor lacks it
      if (*kernel->refuse(problem) != '\0') {
        refusing_.insert(kernel->name);
        continue;
      }
      check(*kernel, operands, test, want);
    }
  }
  // Runs the kernel on all of the case, once whole and once cut into pieces.
  static void check(const DepthwiseKernel& kernel, const DepthwiseOperands& operands, const DepthwiseCase& test,
                    const DepthwiseOutput& want) {
    DepthwiseOutput whole(test), cut(test);
    const PackedDepthwise packed(kernel, operands.problem());
    packed.run(whole.aim(operands.run()));
    packed.run_cut(cut.aim(operands.run()));
    EXPECT_EQ(want.difference(whole), "") << kernel.name << ", " << test;
    EXPECT_EQ(want.difference(cut), "") << kernel.name << ", cut, " << test;
  }
};

TEST_F(DepthwiseKernels, EveryNumberOfChannels) {
  for (int64_t channels = 1; channels <= 200; ++channels) {
    for (int64_t stride : {1, 2}) {
      ASSERT_TRUE(check_modes({.channels = channels, .stride_h = stride, .stride_w = stride, .in_h = 4, .in_w = 6}));
    }
  }
}

TEST_F(DepthwiseKernels, EveryKernelSize) {
  for (int64_t kernel_h = 1; kernel_h <= 9; ++kernel_h) {
    for (int64_t kernel_w = 1; kernel_w <= 9; ++kernel_w) {
      for (int64_t stride : {1, 2}) {
        const DepthwiseCase test = {.channels = 41,
                                    .kernel_h = kernel_h,
                                    .kernel_w = kernel_w,
                                    .stride_h = stride,
                                    .stride_w = stride,
                                    .in_h = 9,
                                    .in_w = 11,
                                    .pad_top = kernel_h / 2,
                                    .pad_left = kernel_w / 2};
        ASSERT_TRUE(check_modes(test));
      }
    }
  }
}

TEST_F(DepthwiseKernels, WideAndTallKernels) {
  for (const auto& [h, w] : {std::pair{1, 31}, {31, 1}, {17, 17}, {31, 31}, {1, 200}, {200, 1}, {40, 40}}) {
    const DepthwiseCase test = {.channels = 35,
                                .kernel_h = h,
                                .kernel_w = w,
                                .in_h = h + 2,
                                .in_w = w + 2,
                                .pad_top = h / 2,
                                .pad_left = w / 2,
                                .pad_bottom = 2,
                                .pad_right = 2};
    ASSERT_TRUE(check_modes(test));
  }
}

TEST_F(DepthwiseKernels, EveryWidthAndHeight) {
  for (int64_t size = 1; size <= 40; ++size) {
    for (int64_t stride : {1, 2, 3}) {
      const DepthwiseCase wide = {.channels = 20, .stride_h = stride, .stride_w = stride, .in_h = 3, .in_w = size};
      const DepthwiseCase tall = {.channels = 20, .stride_h = stride, .stride_w = stride, .in_h = size, .in_w = 3};
      ASSERT_TRUE(check_modes(wide));
      ASSERT_TRUE(check_modes(tall));
    }
  }
  for (int64_t stride : {1, 2}) {
    ASSERT_TRUE(check_modes({.channels = 70, .stride_h = stride, .stride_w = stride, .in_h = 3, .in_w = 301}));
  }
}

// Several pixels to a vector, rows of less than a vector and of more than are worked on at a time.
TEST_F(DepthwiseKernels, FewChannels) {
  for (int64_t channels : {1, 2, 4, 8, 16}) {
    for (int64_t size : {1, 2, 3, 7, 33, 64, 129, 1100}) {
      for (const auto& [left, right] : {std::pair{0, 0}, {0, 1}, {1, 0}, {2, 3}, {0, 5}, {40, 40}}) {
        const DepthwiseCase test = {.channels = channels,
                                    .images = 2,
                                    .in_h = 4,
                                    .in_w = size,
                                    .pad_left = left,
                                    .pad_right = right,
                                    .from_gap = size % 3,
                                    .to_gap = left == 1 ? 0 : 3};
        if (test.possible()) {
          ASSERT_TRUE(check_modes(test));
        }
      }
    }
  }
}

// Padding on one side only, in all strides.
TEST_F(DepthwiseKernels, LopsidedPadding) {
  for (int64_t stride : {1, 2, 3}) {
    for (int pads = 0; pads < 16; ++pads) {
      const DepthwiseCase test = {.channels = 37,
                                  .stride_h = stride,
                                  .stride_w = stride,
                                  .in_h = 8,
                                  .in_w = 9,
                                  .pad_top = pads & 1,
                                  .pad_left = pads >> 1 & 1,
                                  .pad_bottom = pads >> 2 & 1,
                                  .pad_right = pads >> 3};
      ASSERT_TRUE(check_modes(test));
    }
  }
}

TEST_F(DepthwiseKernels, Dilations) {
  for (int64_t dilation : {2, 3, 7, 18}) {
    for (int64_t stride : {1, 2}) {
      const DepthwiseCase test = {.channels = 37,
                                  .stride_h = stride,
                                  .stride_w = stride,
                                  .dilation_h = dilation,
                                  .dilation_w = dilation,
                                  .in_h = 20,
                                  .in_w = 23,
                                  .pad_top = dilation,
                                  .pad_left = dilation,
                                  .pad_bottom = dilation,
                                  .pad_right = dilation};
      ASSERT_TRUE(check_modes(test));
    }
  }
}

TEST_F(DepthwiseKernels, WindowsThatSeePaddingAlone) {
  ASSERT_TRUE(check_modes({.channels = 33, .pad_top = 9, .pad_left = 8, .pad_bottom = 7, .pad_right = 20}));
  ASSERT_TRUE(check_modes({.channels = 33, .in_h = 1, .in_w = 1, .pad_top = 40, .pad_left = 0}));
}

TEST_F(DepthwiseKernels, Multipliers) {
  for (int64_t multiplier : {2, 3, 8}) {
    for (int64_t channels : {1, 3, 16, 40, 70}) {
      ASSERT_TRUE(check_modes({.channels = channels, .multiplier = multiplier}));
    }
  }
}

TEST_F(DepthwiseKernels, AdversarialWindowsAndExtremeWeights) {
  for (DepthwiseData data : {DepthwiseData::WindowsOfExtremes, DepthwiseData::WeightsOfExtremes}) {
    for (int64_t kernel : {2, 3, 5}) {
      for (int64_t channels : {5, 16, 64, 130}) {
        const DepthwiseCase test = {
            .channels = channels, .kernel_h = kernel, .kernel_w = kernel, .in_h = 13, .in_w = 13, .data = data};
        ASSERT_TRUE(check_modes(test));
      }
    }
  }
}

TEST_F(DepthwiseKernels, ZeroPointsAndBounds) {
  for (int32_t x_zero_point : {0, 1, 127, 255}) {
    for (int32_t zero_point : {0, 3, 128, 255}) {
      for (const auto& [low, high] : {std::pair{0, 255}, {0, 254}, {1, 255}, {17, 201}, {128, 128}}) {
        const DepthwiseCase test = {
            .channels = 50, .x_zero_point = x_zero_point, .zero_point = zero_point, .low = low, .high = high};
        ASSERT_TRUE(check_modes(test));
      }
    }
  }
}

TEST_F(DepthwiseKernels, MultipliersOfEverySize) {
  for (int exponent = -126; exponent <= 127; ++exponent) {
    ASSERT_TRUE(check_modes({.channels = 33, .multiplier_exponent = exponent}));
  }
  ASSERT_TRUE(check_modes({.channels = 33, .one_multiplier = true}));
}

// Sums near the ends of int32, where float32 rounds them to 2^31.
TEST_F(DepthwiseKernels, AccumulatorsNearTheLimits) {
  for (int exponent : {-31, -24, -10, 0, 1, 40}) {
    ASSERT_TRUE(check_modes({.channels = 33, .multiplier_exponent = exponent, .data = DepthwiseData::LargeBias}));
  }
}

TEST_F(DepthwiseKernels, RandomProblems) {
  Rng rng(5);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(check_modes(DepthwiseCase::random(rng)));
  EXPECT_EQ(refusing_, (std::set<std::string_view>{})) << "none of these is too large";
}

TEST(DepthwiseSelection, TakesTheFirstThatCanAndSaysWhyOthersCannot) {
  const DepthwiseOperands operands({.channels = 8});
  const auto choice = choose_depthwise(operands.problem());
  ASSERT_NE(choice.kernel, nullptr);
  for (const Refusal& refusal : choice.refusals) EXPECT_NE(refusal.reason, "") << refusal.kernel;
  EXPECT_EQ(find_depthwise(choice.kernel->name), choice.kernel);
  EXPECT_EQ(find_depthwise("no such kernel"), nullptr);
}

}  // namespace
}  // namespace halftone::kernels::depthwise_test
