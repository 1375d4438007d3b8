// Where a number lies between those of its grid.
#pragma once

#include <algorithm>
#include <cmath>

#include "halftone/quant/levels.h"
#include "halftone/quant/runs.h"

namespace halftone {

// A grid's numbers on one scale, by code.
class ScaleNumbers {
 public:
  ScaleNumbers(const QuantParams& params, size_t index)
      : scale_(params.scale[index]), zero_point_(params.zero_point[index]), levels_(0, {}) {
    if (params.levels.empty()) {
      const CodeRange codes = channel_codes(params, index);
      low_ = codes.low;
      high_ = codes.high;
    } else {
      levels_ = levels_of(params, index);
      high_ = static_cast<int64_t>(levels_.count()) - 1;
    }
  }

  float number(int64_t code) const {
    return levels_.count() > 0 ? levels_.number(static_cast<size_t>(code))
                               : dequantize(static_cast<int32_t>(code), scale_, zero_point_);
  }
  int64_t nearest(float x) const {
    return levels_.count() > 0 ? static_cast<int64_t>(levels_.nearest(x))
                               : quantize(x, scale_, zero_point_, low_, high_);
  }
  float lowest() const { return number(low_); }
  float highest() const { return number(high_); }

  struct Pair {
    float lower, upper;  // the same for a number on the grid or beyond its ends
  };
  Pair around(float x) const {
    const int64_t code = nearest(x);
    const float there = number(code);
    if (there < x) return {there, number(std::min(code + 1, high_))};
    if (there > x) return {number(std::max(code - 1, low_)), there};
    return {there, there};
  }

 private:
  float scale_;
  int32_t zero_point_;
  int64_t low_ = 0, high_ = 0;
  Levels levels_;
};

// f(element, numbers of its scale, position) for every element, as a tensor.
template <typename F>
Tensor map_elements(const Tensor& real, const QuantParams& params, const F& f) {
  Tensor rounded(DType::Float, real.shape());
  const std::span<const float> from = real.data<float>();
  const std::span<float> to = rounded.mutable_data<float>();
  for_each_run(real.shape(), params, [&](const Run& run) {
    const ScaleNumbers numbers(params, run.index);
    for (size_t i = run.begin; i < run.begin + run.count; ++i) to[i] = f(from[i], numbers, i);
  });
  return rounded;
}

}  // namespace halftone
