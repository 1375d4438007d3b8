// Conv and ConvTranspose. https://onnx.ai/onnx/operators/onnx__Conv.html
#include "halftone/train/ops/window.h"

namespace halftone::train::ops {
namespace {

std::vector<int64_t> kernel_of(const at::Tensor& weights) { return weights.sizes().slice(2).vec(); }

at::Tensor bias_of(const OpCall& call) { return call.has_input(2) ? call.inputs[2] : at::Tensor(); }

}  // namespace

std::vector<at::Tensor> conv(const OpCall& call) {
  const at::Tensor& weights = call.input(1);
  const Window window = read_window(call, call.input(0), kernel_of(weights));
  const bool symmetric = window.symmetric_padding();
  const at::Tensor x = symmetric ? call.input(0) : padded(call.input(0), window, 0);
  const std::vector<int64_t> none(window.kernel.size(), 0);
  return {at::convolution(x, weights, bias_of(call), window.stride, symmetric ? window.pad_begin : none,
                          window.dilation, false, none, call.node.int_or("group", 1))};
}

// Computed without padding; what the pads take away is cut off, what output_padding asks for is added as places where
// nothing but the bias arrives.
std::vector<at::Tensor> conv_transpose(const OpCall& call) {
  const at::Tensor& weights = call.input(1);
  const Window window = read_window(call, call.input(0), kernel_of(weights));
  const size_t rank = window.kernel.size();
  if (call.node.string_or("auto_pad", "NOTSET") != "NOTSET" || call.node.find_attribute("output_shape") != nullptr) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node),
         "training takes ConvTranspose with explicit pads, found auto_pad or output_shape; write the pads out");
  }
  const std::vector<int64_t> extra = call.node.ints_or("output_padding", std::vector<int64_t>(rank, 0));
  const std::vector<int64_t> none(rank, 0);
  at::Tensor y = at::convolution(call.input(0), weights, {}, window.stride, none, window.dilation, true, none,
                                 call.node.int_or("group", 1));
  std::vector<int64_t> amounts;
  for (size_t i = rank; i-- > 0;) {
    amounts.push_back(-window.pad_begin[i]);
    amounts.push_back(extra[i] - window.pad_end[i]);
  }
  y = at::constant_pad_nd(y, amounts, 0);
  if (!call.has_input(2)) return {y};
  std::vector<int64_t> shape(rank + 2, 1);
  shape[1] = -1;
  return {y + call.inputs[2].reshape(shape)};
}

}  // namespace halftone::train::ops
