// What quantizers on affine grids share.
#pragma once

#include "halftone/ptq/step.h"
#include "halftone/train/fake_quantize.h"
#include "halftone/train/quantizer.h"

namespace halftone::train {

// Scales never fall below it: a scale of zero or less has no meaning.
constexpr float kLeastScale = 1e-10f;

at::Tensor to_list(const std::vector<float>& numbers);
at::Tensor to_list(const std::vector<int32_t>& numbers);
std::vector<float> to_floats(const at::Tensor& list);

// Every dimension but `axis`; all of them for -1.
std::vector<int64_t> dimensions_but(const at::Tensor& real, int64_t axis);
// A list with one number per slice of the axis, or one for all, shaped to broadcast against `real`.
at::Tensor along_axis(const at::Tensor& list, const at::Tensor& real, int64_t axis);

// Scale and zero point as tensors, and the codes.
struct AffineGrid {
  explicit AffineGrid(const QuantParams& params);

  QuantParams params;  // but for scale and zero point, which are the tensors'
  CodeGrid codes;
  at::Tensor scale, zero_point;

  // params with what the tensors hold now. Zero points are rounded as fake_quantize does.
  QuantParams now() const { return now(scale, zero_point); }
  QuantParams now(const at::Tensor& scales, const at::Tensor& zero_points) const;

  // LSQ's 1 / sqrt(elements * highest code); elements are those that share a scale, of one sample where `real` is an
  // activation. Bhalgat et al. (LSQ+) use the same.
  double gradient_scale(const at::Tensor& real, bool weights) const;
};

// Errors: Error{InvalidArgument} naming the quantizer, for grids that are not evenly spaced with scales per tensor or
// channel.
void require_affine(std::string_view quantizer, const QuantParams& params);

}  // namespace halftone::train
