// The driver over every kernel of `gemm` that this processor runs, against plain loops.
#include "halftone/kernels/conv/conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/gemm/gemm_test_case.h"
#include "halftone/kernels/gemm/held_gemm.h"

namespace halftone::kernels::conv_test {
namespace {

int64_t out_size(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_begin, int64_t pad_end) {
  return (in + pad_begin + pad_end - (kernel - 1) * dilation - 1) / stride + 1;
}

struct ConvCase {
  ConvShape shape;
  int64_t images = 1;
  RequantizeMode mode = RequantizeMode::Float;
  GemmResult result = GemmResult::Codes;
  bool wide = false;
};

ConvCase random_case(Rng& rng, bool wide) {
  const auto one_of = [&](std::initializer_list<int64_t> values) { return values.begin()[rng.below(values.size())]; };
  ConvCase test;
  test.wide = wide;
  test.images = one_of({1, 1, 2, 3});
  ConvShape& s = test.shape;
  s.groups = one_of({1, 1, 1, 2, 3});
  s.in_channels = s.groups * one_of({1, 2, 3, 4, 7, 16, 20});
  s.out_channels = s.groups * one_of({1, 5, 16, 24, 33, 70});
  s.kernel_height = one_of({1, 1, 2, 3, 5});
  s.kernel_width = one_of({1, 2, 3, 3, 5, 7});
  s.stride_height = one_of({1, 1, 2, 3});
  s.stride_width = one_of({1, 1, 2, 3});
  s.dilation_height = one_of({1, 1, 2});
  s.dilation_width = one_of({1, 1, 1, 2, 3});
  s.pad_top = one_of({0, 1, 2, 6});
  s.pad_left = one_of({0, 1, 2, 6});
  const int64_t tall = (s.kernel_height - 1) * s.dilation_height + 1,
                across = (s.kernel_width - 1) * s.dilation_width + 1;
  s.in_height = tall + one_of({0, 1, 2, 6}) - std::min<int64_t>(s.pad_top, tall - 1);
  s.in_width = across + one_of({0, 1, 3, 11}) - std::min<int64_t>(s.pad_left, across - 1);
  s.out_height = out_size(s.in_height, s.kernel_height, s.stride_height, s.dilation_height, s.pad_top, s.pad_top);
  s.out_width =
      out_size(s.in_width, s.kernel_width, s.stride_width, s.dilation_width, s.pad_left, one_of({0, 2}) + s.pad_left);
  s.weight_sets = one_of({1, 1, 2});
  s.in_pixel_stride = (s.in_channels + one_of({0, 0, 5})) * (wide ? 2 : 1);
  test.mode = one_of({0, 1}) != 0 ? RequantizeMode::Float : RequantizeMode::Dyadic;
  test.result = one_of({0, 1}) == 0           ? GemmResult::Real
                : wide && one_of({0, 1}) != 0 ? GemmResult::WideCodes
                                              : GemmResult::Codes;
  s.out_pixel_stride = bytes_of(test.result) * (s.out_channels + one_of({0, 3}));
  return test;
}

std::string describe(const ConvShape& s) {
  std::ostringstream out;
  out << s.in_height << "x" << s.in_width << "x" << s.in_channels << " to " << s.out_height << "x" << s.out_width << "x"
      << s.out_channels << ", kernel " << s.kernel_height << "x" << s.kernel_width << ", strides " << s.stride_height
      << " " << s.stride_width << ", dilations " << s.dilation_height << " " << s.dilation_width << ", pads "
      << s.pad_top << " " << s.pad_left << ", groups " << s.groups << ", sets " << s.weight_sets << ", pixel strides "
      << s.in_pixel_stride << " " << s.out_pixel_stride;
  return out.str();
}

class ConvOperands {
 public:
  ConvOperands(const ConvCase& test, Rng& rng) : test_(test) {
    const ConvShape& s = test.shape;
    const int64_t per_channel = s.weight_sets * s.kernel_height * s.kernel_width * (s.in_channels / s.groups);
    // Sums of 16-bit codes and larger weights would not fit.
    const int reach = test.wide ? 16 : 128;
    for (int64_t i = 0; i < s.out_channels * per_channel; ++i) {
      weights_.push_back(static_cast<int8_t>(static_cast<int>(rng.below(static_cast<uint64_t>(2 * reach))) - reach));
    }
    const double smaller = test.wide && test.result == GemmResult::Codes ? 1.0 / 256 : 1;
    for (int64_t o = 0; o < s.out_channels; ++o) {
      bias_.push_back(static_cast<int32_t>(rng.below(20001)) - 10000);
      multipliers_.push_back(
          static_cast<float>(smaller * rng.uniform(0.02, 0.05) / std::sqrt(static_cast<double>(per_channel))));
    }
    source_.resize(static_cast<size_t>(test.images * s.in_height * s.in_width * s.in_pixel_stride) + kSlack);
    for (uint8_t& code : source_) code = static_cast<uint8_t>(rng.below(256));
    x_zero_point_ = test.wide ? static_cast<int32_t>(rng.below(65536)) - 32768 : static_cast<int32_t>(rng.below(256));
  }
  ConvProblem problem() const {
    ConvProblem problem;
    problem.shape = test_.shape;
    problem.product.mode = test_.mode;
    problem.product.result = test_.result;
    problem.product.wide = test_.wide;
    problem.product.weights = weights_.data();
    problem.product.bias = bias_.data();
    problem.product.multipliers = multipliers_.data();
    problem.product.x_zero_point = x_zero_point_;
    problem.product.zero_point = 130;
    if (test_.result == GemmResult::WideCodes) {
      problem.product.low = -30000;
      problem.product.high = 32767;
    }
    return problem;
  }
  const uint8_t* source() const { return source_.data(); }
  std::vector<uint8_t> untouched() const {
    const ConvShape& s = test_.shape;
    return std::vector<uint8_t>(
        static_cast<size_t>(test_.images * s.out_height * s.out_width * s.out_pixel_stride) + 64, 0xA5);
  }

 private:
  ConvCase test_;
  std::vector<int8_t> weights_;
  std::vector<int32_t> bias_;
  std::vector<float> multipliers_;
  std::vector<uint8_t> source_;
  int32_t x_zero_point_ = 0;
};

class ConvOverKernels : public testing::TestWithParam<HeldGemm> {
 protected:
  void SetUp() override {
    kernel_ = find_gemm(GetParam().kernel);
    if (kernel_ == nullptr) GTEST_SKIP() << "this processor lacks " << GetParam().kernel;
  }
  int64_t code_bytes() const { return GetParam().wide ? 2 : 1; }
  void check(const ConvCase& test, Rng& rng) {
    const ConvOperands operands(test, rng);
    const ConvProblem problem = operands.problem();
    std::vector<uint8_t> want = operands.untouched();
    conv_reference(problem, test.images, operands.source(), want.data());

    AlignedBytes blob(conv_packed_bytes(*kernel_, problem));
    pack_conv(*kernel_, problem, blob.data());
    const Conv conv(*kernel_, blob.data());
    AlignedBytes scratch(conv.scratch_bytes());
    for (int64_t parts : {1, 2, 5}) {
      std::vector<uint8_t> found = operands.untouched();
      for (int64_t i = parts - 1; i >= 0; --i) {
        conv.run(operands.source(), found.data(), conv.part(test.images, i, parts), scratch.data());
      }
      ASSERT_EQ(want, found) << describe(test.shape) << " in " << parts << " parts";
    }
    // Single pixels of single column blocks.
    std::vector<uint8_t> found = operands.untouched();
    ConvPart part;
    for (int64_t block = 0; block < conv.whole(test.images).last_block; ++block) {
      for (int64_t pixel = 0; pixel < conv.whole(test.images).last_pixel; ++pixel) {
        part = {.first_pixel = pixel, .last_pixel = pixel + 1, .first_block = block, .last_block = block + 1};
        conv.run(operands.source(), found.data(), part, scratch.data());
      }
    }
    ASSERT_EQ(want, found) << describe(test.shape) << " by pixels";
  }

 private:
  const GemmKernel* kernel_ = nullptr;
};

TEST_P(ConvOverKernels, RandomShapes) {
  Rng rng(5);
  for (int i = 0; i < 300 && !HasFatalFailure(); ++i) {
    const ConvCase test = random_case(rng, GetParam().wide);
    if (test.shape.out_height >= 1 && test.shape.out_width >= 1) check(test, rng);
  }
}

TEST_P(ConvOverKernels, FirstLayerOfThreeChannels) {
  Rng rng(6);
  ConvCase test;
  test.shape = {.in_height = 23,
                .in_width = 37,
                .in_channels = 3,
                .out_height = 12,
                .out_width = 19,
                .out_channels = 32,
                .kernel_height = 3,
                .kernel_width = 3,
                .stride_height = 2,
                .stride_width = 2,
                .pad_top = 1,
                .pad_left = 1,
                .in_pixel_stride = 3 * code_bytes(),
                .out_pixel_stride = 32};
  test.wide = GetParam().wide;
  check(test, rng);
  test.shape.pad_left = 0;
  test.shape.out_width = 18;
  check(test, rng);
}

TEST_P(ConvOverKernels, KernelLargerThanTheImage) {
  Rng rng(7);
  ConvCase test;
  test.shape = {.in_height = 2,
                .in_width = 3,
                .in_channels = 5,
                .out_height = 4,
                .out_width = 5,
                .out_channels = 9,
                .kernel_height = 5,
                .kernel_width = 7,
                .pad_top = 3,
                .pad_left = 4,
                .in_pixel_stride = 5 * code_bytes(),
                .out_pixel_stride = 9};
  test.wide = GetParam().wide;
  check(test, rng);
}

INSTANTIATE_TEST_SUITE_P(All, ConvOverKernels, testing::ValuesIn(all_held_gemms()), name_of_held);

// A matrix-vector product has one pixel only; a cut into parts has to go through the columns.
TEST(ConvParts, CutsFewPixelsByColumns) {
  Rng rng(8);
  ConvCase test;
  test.shape = {.in_channels = 16, .out_channels = 1000, .in_pixel_stride = 16, .out_pixel_stride = 1000};
  const ConvOperands operands(test, rng);
  const ConvProblem problem = operands.problem();
  const GemmKernel& kernel = *choose_conv(problem, 1).kernel;
  AlignedBytes blob(conv_packed_bytes(kernel, problem));
  pack_conv(kernel, problem, blob.data());
  const Conv conv(kernel, blob.data());
  const ConvPart first = conv.part(1, 0, 2), second = conv.part(1, 1, 2);
  EXPECT_EQ(first.last_pixel, 1);
  EXPECT_EQ(second.last_pixel, 1);
  EXPECT_EQ(first.last_block, second.first_block);
  EXPECT_GT(first.last_block, 0);
  EXPECT_LT(second.first_block, second.last_block);
}

}  // namespace
}  // namespace halftone::kernels::conv_test
