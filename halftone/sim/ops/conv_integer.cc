// ConvInteger and QLinearConv. https://onnx.ai/onnx/operators/onnx__QLinearConv.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/conv_loops.h"
#include "halftone/sim/ops/integer_operands.h"
#include "halftone/sim/ops/typed_operands.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::ops {

// y = conv(x - x_zero_point, w - w_zero_point) in int32; padding is real 0, so it adds nothing.
std::vector<Tensor> conv_integer(const OpCall& call) {
  const ConvShape shape = read_conv_shape(call, call.input(0).shape(), call.input(1).shape());
  const std::vector<int32_t> x = centered(call, 0, 2, Spread::Scalar);
  const std::vector<int32_t> weights = centered(call, 1, 3, Spread::PerChannel);
  Tensor y = new_tensor<int32_t>(shape.output());
  convolve<int32_t>(shape, x.data(), weights.data(), nullptr, y.mutable_data<int32_t>().data());
  return {y};
}

// y = saturate(round_half_even(acc * (x_scale * w_scale / y_scale)) + y_zero_point) with acc = conv(x - x_zero_point,
// w - w_zero_point) + bias in int32. Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point,
// bias.
std::vector<Tensor> qlinear_conv(const OpCall& call) {
  const ConvShape shape = read_conv_shape(call, call.input(0).shape(), call.input(3).shape());
  const int64_t channels = shape.groups * shape.oc;
  const std::vector<int32_t> x = centered(call, 0, 2, Spread::Scalar);
  const std::vector<int32_t> weights = centered(call, 3, 5, Spread::PerChannel);
  const int32_t* bias = call.has_input(8) ? elements<int32_t>(call, 8, channels).data() : nullptr;
  Tensor sums = new_tensor<int32_t>(shape.output());
  convolve(shape, x.data(), weights.data(), bias, sums.mutable_data<int32_t>().data());

  const std::vector<float> x_scale = scales_of(call, 1), w_scale = scales_of(call, 4);
  if (x_scale.size() != 1) call.refuse("x_scale must be one number, found {}", x_scale.size());
  const std::vector<int64_t> w_scale_of = parameter_positions(call, 4, {channels}, Spread::PerChannel);
  const Grid grid = output_grid(call, 6, 7);
  const auto area = static_cast<size_t>(shape.window.out_area());
  std::vector<int32_t> codes = to_vector<int32_t>(sums);
  for (size_t plane = 0; plane * area < codes.size(); ++plane) {
    const auto channel = plane % static_cast<size_t>(channels);
    const float multiplier =
        multiplier_of(call, x_scale[0], w_scale[static_cast<size_t>(w_scale_of[channel])], grid.scale);
    for (size_t i = plane * area; i < (plane + 1) * area; ++i) {
      codes[i] = requantize(codes[i], multiplier, grid.zero_point, grid.low, grid.high);
    }
  }
  return {pack_integers(grid.dtype, sums.shape(), codes)};
}

}  // namespace halftone::sim::ops
