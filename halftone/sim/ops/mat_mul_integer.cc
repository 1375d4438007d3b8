// MatMulInteger and QLinearMatMul. https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/integer_operands.h"
#include "halftone/sim/ops/mat_mul_shape.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::ops {
namespace {

// (a - a_zero_point) * (b - b_zero_point) in int32; the arguments are the numbers of the node's inputs.
Tensor multiply_codes(const OpCall& call, size_t a, size_t a_zero, size_t b, size_t b_zero) {
  const MatMulShape shape = read_mat_mul_shape(call, call.input(a).shape(), call.input(b).shape());
  const std::vector<int32_t> left = centered(call, a, a_zero, Spread::PerRow);
  const std::vector<int32_t> right = centered(call, b, b_zero, Spread::PerColumn);
  Tensor y = new_tensor<int32_t>(shape.output);
  int32_t* out = y.mutable_data<int32_t>().data();
  for (size_t i = 0; i < shape.a_index.size(); ++i, out += shape.m * shape.n) {
    multiply_matrices(shape.m, shape.n, shape.k, left.data() + shape.a_index[i] * shape.m * shape.k,
                      right.data() + shape.b_index[i] * shape.k * shape.n, out);
  }
  return y;
}

}  // namespace

std::vector<Tensor> mat_mul_integer(const OpCall& call) { return {multiply_codes(call, 0, 2, 1, 3)}; }

// y = saturate(round_half_even(acc * (a_scale * b_scale / y_scale)) + y_zero_point). Inputs: a, a_scale, a_zero_point,
// b, b_scale, b_zero_point, y_scale, y_zero_point.
std::vector<Tensor> qlinear_mat_mul(const OpCall& call) {
  const Tensor sums = multiply_codes(call, 0, 2, 3, 5);
  const std::vector<float> a_scale = scales_of(call, 1), b_scale = scales_of(call, 4);
  const std::vector<int64_t> a_scale_of = parameter_positions(call, 1, sums.shape(), Spread::PerRow);
  const std::vector<int64_t> b_scale_of = parameter_positions(call, 4, sums.shape(), Spread::PerColumn);
  const Grid grid = output_grid(call, 6, 7);
  std::vector<int32_t> codes = to_vector<int32_t>(sums);
  for (size_t i = 0; i < codes.size(); ++i) {
    const float multiplier = multiplier_of(call, a_scale[static_cast<size_t>(a_scale_of[i])],
                                           b_scale[static_cast<size_t>(b_scale_of[i])], grid.scale);
    codes[i] = requantize(codes[i], multiplier, grid.zero_point, grid.low, grid.high);
  }
  return {pack_integers(grid.dtype, sums.shape(), codes)};
}

}  // namespace halftone::sim::ops
