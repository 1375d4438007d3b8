// Against the definition as a scatter: each input pixel adds to the output pixels that it reaches.
#include "halftone/kernels/conv/conv_transpose.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/gemm/gemm_test_case.h"

namespace halftone::kernels {
namespace {

std::vector<int64_t> scatter(const ConvProblem& problem, int64_t images, const uint8_t* src) {
  const ConvShape& s = problem.shape;
  const GemmProblem& p = problem.product;
  const int64_t ic = s.in_channels / s.groups, oc = s.out_channels / s.groups;
  std::vector<int64_t> sums;
  for (int64_t i = 0; i < images * s.out_height * s.out_width; ++i)
    sums.insert(sums.end(), p.bias, p.bias + s.out_channels);
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t iy = 0; iy < s.in_height; ++iy) {
      for (int64_t ix = 0; ix < s.in_width; ++ix) {
        for (int64_t ky = 0; ky < s.kernel_height; ++ky) {
          for (int64_t kx = 0; kx < s.kernel_width; ++kx) {
            const int64_t oy = iy * s.stride_height + ky * s.dilation_height - s.pad_top;
            const int64_t ox = ix * s.stride_width + kx * s.dilation_width - s.pad_left;
            if (oy < 0 || oy >= s.out_height || ox < 0 || ox >= s.out_width) continue;
            for (int64_t o = 0; o < s.out_channels; ++o) {
              for (int64_t c = 0; c < ic; ++c) {
                const int64_t x = src[((n * s.in_height + iy) * s.in_width + ix) * s.in_pixel_stride + o / oc * ic + c];
                for (int64_t set = 0; set < s.weight_sets; ++set) {
                  const int64_t at =
                      (((o * s.weight_sets + set) * s.kernel_height + ky) * s.kernel_width + kx) * ic + c;
                  sums[static_cast<size_t>(((n * s.out_height + oy) * s.out_width + ox) * s.out_channels + o)] +=
                      (x - p.x_zero_point) * p.weights[at];
                }
              }
            }
          }
        }
      }
    }
  }
  return sums;
}

class ConvTransposeOverKernels : public testing::TestWithParam<std::string_view> {};

TEST_P(ConvTransposeOverKernels, RandomShapes) {
  const GemmKernel* kernel = find_gemm(GetParam());
  if (kernel == nullptr) GTEST_SKIP() << "this processor lacks " << GetParam();
  Rng rng(9);
  const auto one_of = [&](std::initializer_list<int64_t> values) { return values.begin()[rng.below(values.size())]; };
  for (int i = 0; i < 300; ++i) {
    ConvShape s;
    s.groups = one_of({1, 1, 2});
    s.in_channels = s.groups * one_of({1, 3, 8});
    s.out_channels = s.groups * one_of({1, 4, 21});
    s.in_height = one_of({1, 2, 5});
    s.in_width = one_of({1, 4, 7});
    s.kernel_height = one_of({1, 2, 3, 4});
    s.kernel_width = one_of({1, 2, 3, 5});
    s.stride_height = one_of({1, 2, 3});
    s.stride_width = one_of({1, 2, 3, 4});
    s.dilation_height = one_of({1, 1, 2, 3});
    s.dilation_width = one_of({1, 1, 2});
    s.pad_top = one_of({0, 1, 2});
    s.pad_left = one_of({0, 1, 2});
    s.weight_sets = one_of({1, 1, 2});
    s.out_height =
        std::max<int64_t>(1, (s.in_height - 1) * s.stride_height + (s.kernel_height - 1) * s.dilation_height + 1 -
                                 s.pad_top - one_of({-1, 0, 1}));
    s.out_width = std::max<int64_t>(1, (s.in_width - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1 -
                                           s.pad_left - one_of({-1, 0, 2}));
    s.in_pixel_stride = s.in_channels + one_of({0, 2});
    s.out_pixel_stride = s.out_channels + one_of({0, 3});
    const int64_t images = one_of({1, 2});

    std::vector<int8_t> weights(static_cast<size_t>(s.out_channels * s.weight_sets * s.kernel_height * s.kernel_width *
                                                    s.in_channels / s.groups));
    for (int8_t& w : weights) w = static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128);
    std::vector<int32_t> bias;
    std::vector<float> multipliers;
    for (int64_t o = 0; o < s.out_channels; ++o) {
      bias.push_back(static_cast<int32_t>(rng.below(4001)) - 2000);
      multipliers.push_back(static_cast<float>(rng.uniform(0.001, 0.006)));
    }
    std::vector<uint8_t> source(static_cast<size_t>(images * s.in_height * s.in_width * s.in_pixel_stride) + kSlack);
    for (uint8_t& code : source) code = static_cast<uint8_t>(rng.below(256));
    ConvProblem problem;
    problem.shape = s;
    problem.product.mode = one_of({0, 1}) != 0 ? RequantizeMode::Float : RequantizeMode::Dyadic;
    problem.product.weights = weights.data();
    problem.product.bias = bias.data();
    problem.product.multipliers = multipliers.data();
    problem.product.x_zero_point = static_cast<int32_t>(rng.below(256));
    problem.product.zero_point = 120;

    std::vector<uint8_t> want(static_cast<size_t>(images * s.out_height * s.out_width * s.out_pixel_stride), 0xA5);
    const std::vector<int64_t> sums = scatter(problem, images, source.data());
    for (size_t at = 0; at < sums.size(); ++at) {
      const size_t channels = static_cast<size_t>(s.out_channels), o = at % channels;
      const auto acc = static_cast<int32_t>(sums[at]);
      const int32_t code = problem.product.mode == RequantizeMode::Float
                               ? requantize(acc, multipliers[o], 120, 0, 255)
                               : requantize_dyadic(acc, make_dyadic(multipliers[o]), 120, 0, 255);
      want[at / channels * static_cast<size_t>(s.out_pixel_stride) + o] = static_cast<uint8_t>(code);
    }

    AlignedBytes blob(conv_transpose_packed_bytes(*kernel, problem));
    pack_conv_transpose(*kernel, problem, blob.data());
    const ConvTranspose transposed(*kernel, blob.data());
    AlignedBytes scratch(transposed.scratch_bytes());
    for (int64_t parts : {1, 3}) {
      std::vector<uint8_t> found(want.size(), 0xA5);
      for (int64_t part = 0; part < parts; ++part) {
        transposed.run(source.data(), found.data(), images, part, parts, scratch.data());
      }
      ASSERT_EQ(want, found) << "case " << i << " in " << parts << " parts";
    }
  }
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> result;
  for (const GemmKernel& kernel : gemm_kernels()) result.push_back(kernel.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(All, ConvTransposeOverKernels, testing::ValuesIn(names()),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace halftone::kernels
