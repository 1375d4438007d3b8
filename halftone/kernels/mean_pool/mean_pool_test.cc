#include "halftone/kernels/mean_pool/mean_pool.h"

#include <algorithm>

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::mean_pool_test {
namespace {

using test::for_each_kernel;
using test::random_codes;
using test::untouched;

int32_t code_of(RequantizeMode mode, int32_t acc, float multiplier, const StoredGrid& to) {
  return mode == RequantizeMode::Float
             ? halftone::requantize(acc, multiplier, to.zero_point, to.low, to.high)
             : requantize_dyadic(acc, make_dyadic(multiplier), to.zero_point, to.low, to.high);
}

float mean_multiplier(double ratio, int64_t count) { return make_multiplier(ratio, 1, static_cast<double>(count)); }

TEST(MeanPool, EveryKernelAndNumberOfChannels) {
  Rng rng(1);
  for (const RequantizeMode mode : test::modes()) {
    for (const bool include_pad : {false, true}) {
      for (const int64_t channels : test::odd_columns()) {
        MeanPool pool;
        Window& w = pool.window;
        w.in = {1, 5, 8};
        w.kernel = {1, 3, 2};
        w.stride = {1, 2, 1};
        w.pad_begin = {0, 1, 1};
        w.pad_end = {0, 1, 0};
        w.out = {1, 3, 8};
        w.channels = channels;
        w.from_stride = channels + 3;
        w.to_stride = channels + 6;
        pool.problem = {mode, 77, {130, 4, 240}};
        pool.include_pad = include_pad;
        for (int64_t n = 0; n <= w.taps(); ++n) {
          pool.factors.push_back(make_factor(mean_multiplier(1.3, std::max<int64_t>(n, 1))));
        }
        const std::vector<uint8_t> from = random_codes(rng, 40 * w.from_stride);
        std::vector<uint8_t> expected = untouched(w.out_pixels() * w.to_stride);
        for (int64_t p = 0; p < 24; ++p) {
          for (int64_t c = 0; c < channels; ++c) {
            int32_t sum = 0;
            int64_t count = 0;
            for (int64_t k = 0; k < 6; ++k) {
              const int64_t y = p / 8 * 2 + k / 2 - 1, x = p % 8 + k % 2 - 1;
              if (y < 0 || y >= 5 || x < 0 || x >= 8) continue;
              sum += from[static_cast<size_t>((y * 8 + x) * w.from_stride + c)] - 77;
              ++count;
            }
            expected[static_cast<size_t>(p * w.to_stride + c)] = static_cast<uint8_t>(
                code_of(mode, sum, mean_multiplier(1.3, include_pad ? 6 : count), pool.problem.to));
          }
        }
        for_each_kernel(mean_pool_kernels(), pool.problem, [&](const MeanPoolKernel& kernel) {
          pool.kernel = &kernel;
          for (const int64_t cut : {0, 11, 24}) {
            std::vector<uint8_t> found = untouched(w.out_pixels() * w.to_stride);
            pool.run(from.data(), found.data(), 0, cut);
            pool.run(from.data(), found.data(), cut, 24);
            ASSERT_EQ(found, expected) << channels;
          }
        });
      }
    }
  }
}

// Sums of extremes: more taps than 16 bits hold, every code 0 or 255.
TEST(MeanPool, WholeImages) {
  for (const RequantizeMode mode : test::modes()) {
    for (const StoredGrid& to : test::grids()) {
      for (const int64_t pixels : {1, 255, 256, 257, 512, 1000, 12544}) {
        for (const int32_t zero_point : {0, 255, 128}) {
          const MeanProblem problem = {mode, zero_point, to};
          const float multiplier = mean_multiplier(0.93, pixels);
          const int64_t channels = 37;
          std::vector<uint8_t> from(static_cast<size_t>(pixels * channels) + kSlack);
          std::vector<int32_t> sums(static_cast<size_t>(channels));
          for (int64_t i = 0; i < pixels * channels; ++i) {
            const int64_t c = i % channels;
            const auto code = static_cast<uint8_t>(c == 0 ? 0 : c == 1 ? 255 : (i * 37 + c) % 256);
            from[static_cast<size_t>(i)] = code;
            sums[static_cast<size_t>(c)] += code - zero_point;
          }
          // As one line of pixels, and as rows.
          for (const int64_t rows : {int64_t{1}, pixels % 4 == 0 ? int64_t{4} : int64_t{1}}) {
            const BoxRow row = {{{1, rows, pixels / rows}, {0, pixels / rows * channels, channels}}, 1, channels, 0, 0};
            for_each_kernel(mean_pool_kernels(), problem, [&](const MeanPoolKernel& kernel) {
              std::vector<uint8_t> found = untouched(channels);
              kernel.run(problem, make_factor(multiplier), row, from.data(), found.data());
              for (int64_t c = 0; c < channels; ++c) {
                ASSERT_EQ(found[static_cast<size_t>(c)], code_of(mode, sums[static_cast<size_t>(c)], multiplier, to))
                    << pixels << " " << c;
              }
              ASSERT_EQ(found[static_cast<size_t>(channels)], 0xA5);
            });
          }
        }
      }
    }
  }
}

// One pixel, read again and again until 31 bits are full.
TEST(MeanPool, SumsUpTo31Bits) {
  std::vector<uint8_t> from(2 + kSlack);
  from[0] = 255;
  const std::vector<float> multipliers = {0x1p-40F, 0x1.fffffep-24F, 0x1p-9F, 0x1.8p0F, 0x1.1p4F, 0x1p20F};
  // The largest sums take long: one multiplier that leaves nothing of them, one that spreads them over the codes, and
  // one far beyond.
  const std::vector<float> few = {0x1p-40F, 0x1.fffffep-24F, 0x1p20F};
  for (const int64_t taps : {int64_t{1} << 16, INT32_MAX / int64_t{255}}) {
    const BoxRow row = {{{1, 1, taps}, {0, 0, 0}}, 1, 2, 0, 0};
    for (const RequantizeMode mode : test::modes()) {
      for (const float multiplier : taps > 1 << 16 ? few : multipliers) {
        for (const int32_t zero_point : {0, 255}) {
          const MeanProblem problem = {mode, zero_point, {100, 3, 250}};
          for_each_kernel(mean_pool_kernels(), problem, [&](const MeanPoolKernel& kernel) {
            std::vector<uint8_t> found = untouched(2);
            kernel.run(problem, make_factor(multiplier), row, from.data(), found.data());
            const auto sum = static_cast<int32_t>(taps * 255);
            EXPECT_EQ(found[0], code_of(mode, zero_point == 0 ? sum : 0, multiplier, problem.to)) << multiplier;
            EXPECT_EQ(found[1], code_of(mode, zero_point == 0 ? 0 : -sum, multiplier, problem.to)) << multiplier;
          });
        }
      }
    }
  }
}

TEST(MeanPool, FactorsOfAnySize) {
  Rng rng(2);
  const std::vector<uint8_t> from = random_codes(rng, 300 * 64);
  const BoxRow row = {{{1, 1, 300}, {0, 0, 64}}, 1, 64, 0, 0};
  for (const RequantizeMode mode : test::modes()) {
    for (const float multiplier : {1e-38F, 1e-12F, 4.6e-10F, 2.4e-7F, 1e-3F, 1.0F, 65536.0F, 3e9F, 3e38F}) {
      const MeanProblem problem = {mode, 128, {100, 0, 255}};
      for_each_kernel(mean_pool_kernels(), problem, [&](const MeanPoolKernel& kernel) {
        std::vector<uint8_t> found = untouched(64);
        kernel.run(problem, make_factor(multiplier), row, from.data(), found.data());
        for (size_t c = 0; c < 64; ++c) {
          int32_t sum = 0;
          for (size_t p = 0; p < 300; ++p) sum += from[p * 64 + c] - 128;
          ASSERT_EQ(found[c], code_of(mode, sum, multiplier, problem.to)) << multiplier;
        }
      });
    }
  }
}

}  // namespace
}  // namespace halftone::kernels::mean_pool_test
