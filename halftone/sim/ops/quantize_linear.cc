// QuantizeLinear and DequantizeLinear. https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
#include "halftone/quant/quant_params.h"
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::ops {
namespace {

// The grid that scales (input 1) and zero points (input 2) lay over an operand of `shape`: one number for the whole
// tensor, one per index along `axis`, or, with block_size, one per block along `axis`.
QuantParams read_params(const OpCall& call, DType dtype, const Shape& shape) {
  const Tensor& scale = call.input(1);
  if (!is_floating(scale.dtype())) call.refuse("y_scale must be floating point, found {}", name_of(scale.dtype()));
  QuantParams params;
  params.dtype = dtype;
  if (is_integer(dtype)) {
    params.q_min = range_of(dtype).low;
    params.q_max = range_of(dtype).high;
  }
  params.scale = to_vector<float>(scale);
  params.zero_point.assign(params.scale.size(), 0);
  if (call.has_input(2)) {
    const Tensor& zero_point = call.input(2);
    if (zero_point.dtype() != dtype) {
      call.refuse("zero points must be {}, found {}", name_of(dtype), name_of(zero_point.dtype()));
    }
    if (zero_point.size() != scale.size()) {
      call.refuse("scales {} and zero points {} must have one shape", to_string(scale.shape()),
                  to_string(zero_point.shape()));
    }
    params.zero_point = to_vector<int32_t>(zero_point);
  }
  const auto rank = static_cast<int64_t>(shape.size());
  params.block_size = call.node.int_or("block_size", 0);
  if (params.block_size < 0) call.refuse("block_size must be 0 or more, found {}", params.block_size);
  if (scale.size() == 1 && params.block_size == 0) return params;

  params.axis = normalize_axis(call.node.int_or("axis", 1), rank);
  Shape wanted = {shape[static_cast<size_t>(params.axis)]};
  if (params.block_size > 0) {
    const int64_t length = wanted[0];
    wanted = shape;
    wanted[static_cast<size_t>(params.axis)] = length == 0 ? 0 : (length - 1) / params.block_size + 1;
  }
  if (scale.shape() != wanted) {
    call.refuse("scales for {} along axis {} must have the shape {}, found {}", to_string(shape), params.axis,
                to_string(wanted), to_string(scale.shape()));
  }
  return params;
}

// The type of QuantizeLinear's output: its zero point's, else output_dtype's, else uint8.
DType code_type(const OpCall& call) {
  const auto asked = static_cast<DType>(call.node.int_or("output_dtype", 0));
  if (call.has_input(2)) {
    const DType dtype = call.input(2).dtype();
    if (asked != DType::Undefined && asked != dtype) {
      call.refuse("output_dtype {} contradicts zero points of {}", name_of(asked), name_of(dtype));
    }
    return dtype;
  }
  return asked == DType::Undefined ? DType::UInt8 : asked;
}

// The floats of 8 and 4 bits have a grid of their own: codes times scale, no zero point.
void check_small_float(const OpCall& call, const QuantParams& params) {
  if (!is_floating(params.dtype) || bits_of(params.dtype) > 8) {
    call.refuse("codes must be integers or floats of at most 8 bits, found {}", name_of(params.dtype));
  }
  for (int32_t zero_point : params.zero_point) {
    if (zero_point != 0) call.refuse("zero points of {} must be 0", name_of(params.dtype));
  }
}

// op(x[i], the scale of element i), in float.
template <typename F>
Tensor with_scales(const Tensor& x, const QuantParams& params, F op) {
  std::vector<float> values = to_vector<float>(x);
  const AxisView view = params.per_tensor() ? AxisView{1, 1, x.size()} : view_along(x.shape(), params.axis);
  const int64_t block = std::max<int64_t>(params.block_size, 1);
  const int64_t blocks = (view.length + block - 1) / block;
  size_t i = 0;
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t a = 0; a < view.length; ++a) {
      for (int64_t r = 0; r < view.inner; ++r, ++i) {
        const int64_t scale = params.block_size > 0 ? (o * blocks + a / block) * view.inner + r : a;
        values[i] = op(values[i], params.scale[static_cast<size_t>(scale)]);
      }
    }
  }
  return Tensor::from(x.shape(), values);
}

}  // namespace

// y = saturate(round_half_even(x / scale) + zero_point), the division in float32.
std::vector<Tensor> quantize_linear(const OpCall& call) {
  const Tensor x = convert(call.input(0), DType::Float);
  const QuantParams params = read_params(call, code_type(call), x.shape());
  if (is_integer(params.dtype)) return {quantize(x, params)};
  check_small_float(call, params);
  if (call.node.int_or("saturate", 1) == 0) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node), "the interpreter saturates, found saturate = 0");
  }
  return {convert(with_scales(x, params, [](float value, float scale) { return value / scale; }), params.dtype)};
}

// y = (x - zero_point) * scale in float32, in the type of the scale.
std::vector<Tensor> dequantize_linear(const OpCall& call) {
  const Tensor& x = call.input(0);
  const QuantParams params = read_params(call, x.dtype(), x.shape());
  const auto asked = static_cast<DType>(call.node.int_or("output_dtype", 0));
  const DType result = asked == DType::Undefined ? call.input(1).dtype() : asked;
  if (is_integer(params.dtype)) return {convert(dequantize(x, params), result)};
  check_small_float(call, params);
  return {convert(with_scales(x, params, [](float value, float scale) { return value * scale; }), result)};
}

}  // namespace halftone::sim::ops
