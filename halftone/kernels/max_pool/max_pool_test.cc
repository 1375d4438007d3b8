#include "halftone/kernels/max_pool/max_pool.h"

#include <algorithm>

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::max_pool_test {
namespace {

using test::for_each_kernel;
using test::random_codes;
using test::untouched;

// 3 x 3 with stride 2 over h x w pixels.
Window three_by_three(int64_t h, int64_t w, int64_t channels, int64_t dilation) {
  Window window;
  window.in = {1, h, w};
  window.kernel = {1, 3, 3};
  window.stride = {1, 2, 2};
  window.dilation = {1, dilation, dilation};
  window.pad_begin = window.pad_end = {0, 1, 1};
  window.out = {1, (h + 1 - 2 * dilation) / 2 + 1, (w + 1 - 2 * dilation) / 2 + 1};
  window.channels = channels;
  window.from_stride = channels + 3;
  window.to_stride = channels + 6;
  return window;
}

TEST(MaxPool, EveryKernelAndNumberOfChannels) {
  Rng rng(1);
  for (const int64_t channels : test::odd_columns()) {
    const Window w = three_by_three(6, 7, channels, channels % 2 + 1);
    const std::vector<uint8_t> from = random_codes(rng, 6 * 7 * w.from_stride);
    std::vector<uint8_t> expected = untouched(w.out_pixels() * w.to_stride);
    for (int64_t p = 0; p < w.out_pixels(); ++p) {
      for (int64_t c = 0; c < channels; ++c) {
        uint8_t best = 0;
        for (int64_t k = 0; k < 9; ++k) {
          const int64_t y = p / w.out[2] * 2 + k / 3 * w.dilation[1] - 1,
                        x = p % w.out[2] * 2 + k % 3 * w.dilation[2] - 1;
          if (y < 0 || y >= 6 || x < 0 || x >= 7) continue;
          best = std::max(best, from[static_cast<size_t>((y * 7 + x) * w.from_stride + c)]);
        }
        expected[static_cast<size_t>(p * w.to_stride + c)] = best;
      }
    }
    for_each_kernel(max_pool_kernels(), w, [&](const MaxPoolKernel& kernel) {
      for (const int64_t cut : {int64_t{0}, w.out_pixels() / 2, w.out_pixels()}) {
        std::vector<uint8_t> found = untouched(w.out_pixels() * w.to_stride);
        max_pool(w, kernel, 0, from.data(), found.data(), 0, cut);
        max_pool(w, kernel, 0, from.data(), found.data(), cut, w.out_pixels());
        ASSERT_EQ(found, expected) << channels;
      }
    });
  }
}

TEST(MaxPool, WindowsInThePaddingAloneAreWhatTheCallerSays) {
  Window w;
  w.in = {1, 1, 2};
  w.kernel = {1, 1, 2};
  w.dilation = {1, 1, 5};
  w.pad_begin = {0, 0, 3};
  w.pad_end = {0, 0, 3};
  w.out = {1, 1, 3};
  w.channels = w.from_stride = w.to_stride = 2;
  const std::vector<uint8_t> from = [] {
    std::vector<uint8_t> bytes(4 + kSlack);
    std::copy_n(std::vector<uint8_t>{0, 7, 9, 3}.begin(), 4, bytes.begin());
    return bytes;
  }();
  for_each_kernel(max_pool_kernels(), w, [&](const MaxPoolKernel& kernel) {
    // Taps at -3, 2; -2, 3; -1, 4: none inside.
    std::vector<uint8_t> to(6);
    max_pool(w, kernel, 77, from.data(), to.data(), 0, 3);
    EXPECT_EQ(to, std::vector<uint8_t>(6, 77));
    Window one = w;
    one.pad_begin = {0, 0, 0};
    one.out = {1, 1, 1};
    max_pool(one, kernel, 77, from.data(), to.data(), 0, 1);
    EXPECT_EQ(to[0], 0);
    EXPECT_EQ(to[1], 7);
  });
}

}  // namespace
}  // namespace halftone::kernels::max_pool_test
