// Gemm, MatMul, Einsum. https://onnx.ai/onnx/operators/onnx__Gemm.html
#include "halftone/train/op.h"

namespace halftone::train::ops {

std::vector<at::Tensor> gemm(const OpCall& call) {
  const at::Tensor a = call.node.int_or("transA", 0) != 0 ? call.input(0).t() : call.input(0);
  const at::Tensor b = call.node.int_or("transB", 0) != 0 ? call.input(1).t() : call.input(1);
  const double alpha = call.node.float_or("alpha", 1.0f);
  if (call.has_input(2)) return {at::addmm(call.inputs[2], a, b, call.node.float_or("beta", 1.0f), alpha)};
  const at::Tensor product = at::mm(a, b);
  return {alpha == 1.0 ? product : product * alpha};
}

std::vector<at::Tensor> mat_mul(const OpCall& call) { return {at::matmul(call.input(0), call.input(1))}; }

std::vector<at::Tensor> einsum(const OpCall& call) {
  return {at::einsum(call.node.string_or("equation", ""), call.inputs)};
}

}  // namespace halftone::train::ops
