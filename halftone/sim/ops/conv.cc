// Conv. https://onnx.ai/onnx/operators/onnx__Conv.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/conv_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

ConvShape read_conv_shape(const OpCall& call, const Shape& x, const Shape& weights) {
  if (x.size() < 3 || weights.size() != x.size()) {
    call.refuse("requires an input [N, C, spatial...] and weights of the same rank, found {} and {}", to_string(x),
                to_string(weights));
  }
  const Shape kernel(weights.begin() + 2, weights.end());
  if (call.node.ints_or("kernel_shape", kernel) != kernel) {
    call.refuse("kernel_shape {} contradicts weights of shape {}", to_string(call.node.ints_or("kernel_shape", kernel)),
                to_string(weights));
  }
  ConvShape shape;
  shape.batch = x[0];
  shape.groups = call.node.int_or("group", 1);
  shape.ic = weights[1];
  if (shape.groups < 1 || x[1] % shape.groups != 0 || x[1] / shape.groups != shape.ic ||
      weights[0] % shape.groups != 0) {
    call.refuse("input {} and weights {} don't match for {} groups", to_string(x), to_string(weights), shape.groups);
  }
  shape.oc = weights[0] / shape.groups;
  shape.window = read_sliding_window(call, std::span(x).subspan(2), kernel);
  shape.spatial_rank = static_cast<int64_t>(kernel.size());
  return shape;
}

namespace {

template <typename T>
std::vector<Tensor> conv_of(const OpCall& call) {
  const ConvShape shape = read_conv_shape(call, call.input(0).shape(), call.input(1).shape());
  const T* bias = call.has_input(2) ? elements<T>(call, 2, shape.groups * shape.oc).data() : nullptr;
  Tensor y = new_tensor<T>(shape.output());
  convolve(shape, elements<T>(call, 0).data(), elements<T>(call, 1).data(), bias, y.mutable_data<T>().data());
  return {y};
}

}  // namespace

std::vector<Tensor> conv(const OpCall& call) {
  // ONNX has no Conv of int32; quantized networks are summed up with it.
  if (call.input(0).dtype() == DType::Int32) return conv_of<int32_t>(call);
  return in_floating(call, []<typename T>(const OpCall& c) { return conv_of<T>(c); });
}

}  // namespace halftone::sim::ops
