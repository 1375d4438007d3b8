#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {
namespace {

int32_t sum(const DepthwiseProblem& p, const DepthwiseRun& run, int64_t row, int64_t x, int64_t output) {
  const uint8_t* image = run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride;
  const int64_t y = row % run.out_h;
  int64_t acc = p.bias != nullptr ? p.bias[output] : 0;
  for (int64_t i = 0; i < p.kernel_h; ++i) {
    for (int64_t j = 0; j < p.kernel_w; ++j) {
      const int64_t in_y = y * p.stride_h + i * p.dilation_h - run.pad_top;
      const int64_t in_x = x * p.stride_w + j * p.dilation_w - run.pad_left;
      if (in_y < 0 || in_y >= run.in_h || in_x < 0 || in_x >= run.in_w) continue;
      const int32_t code = image[(in_y * run.in_w + in_x) * run.from_stride + output / p.multiplier];
      acc += (code - p.x_zero_point) * p.weights[(output * p.kernel_h + i) * p.kernel_w + j];
    }
  }
  return static_cast<int32_t>(acc);
}

}  // namespace

void depthwise_reference(const DepthwiseProblem& p, const DepthwiseRun& run) {
  for (int64_t row = run.first_row; row < run.last_row; ++row) {
    for (int64_t x = 0; x < run.out_w; ++x) {
      std::byte* to = static_cast<std::byte*>(run.to) + (row * run.out_w + x) * run.to_stride;
      for (int64_t o = 0; o < p.outputs(); ++o) {
        const int32_t acc = sum(p, run, row, x, o);
        const float multiplier = p.multipliers[p.multiplier_per_channel ? o : 0];
        if (p.result == DepthwiseResult::Real) {
          reinterpret_cast<float*>(to)[o] = static_cast<float>(acc) * multiplier;
        } else if (p.mode == RequantizeMode::Float) {
          to[o] = static_cast<std::byte>(requantize(acc, multiplier, p.zero_point, p.low, p.high));
        } else {
          to[o] = static_cast<std::byte>(requantize_dyadic(acc, make_dyadic(multiplier), p.zero_point, p.low, p.high));
        }
      }
    }
  }
}

}  // namespace halftone::kernels
