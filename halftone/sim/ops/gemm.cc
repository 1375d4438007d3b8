// Gemm. https://onnx.ai/onnx/operators/onnx__Gemm.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// A rank-2 operand as a dense matrix, transposed where the node says so.
template <typename T>
std::vector<T> matrix_of(const OpCall& call, size_t i, bool transposed, int64_t& rows, int64_t& columns) {
  const Tensor& tensor = call.input(i);
  if (tensor.rank() != 2) call.refuse("input {} must be a matrix, found {}", i, to_string(tensor.shape()));
  const std::span<const T> data = elements<T>(call, i);
  std::vector<T> matrix(data.begin(), data.end());
  if (transposed) transpose_matrix(tensor.dim(0), tensor.dim(1), data.data(), matrix.data());
  rows = tensor.dim(transposed ? 1 : 0);
  columns = tensor.dim(transposed ? 0 : 1);
  return matrix;
}

// alpha and beta are floats, whatever the matrices are: integers are scaled in double.
template <typename T>
T scaled(float factor, T value) {
  if (factor == 1.0f) return value;
  if constexpr (std::is_integral_v<T>) {
    constexpr double kLimit = 9.2e18;  // beyond it the conversion to int64 is undefined
    const double product = std::clamp(static_cast<double>(factor) * static_cast<double>(value), -kLimit, kLimit);
    return static_cast<T>(static_cast<int64_t>(product));
  } else {
    return static_cast<T>(factor) * value;
  }
}

// y = alpha * (a * b) + beta * c; the product is summed with k ascending.
template <typename T>
std::vector<Tensor> gemm_of(const OpCall& call) {
  int64_t m = 0, k = 0, b_rows = 0, n = 0;
  const std::vector<T> a = matrix_of<T>(call, 0, call.node.int_or("transA", 0) != 0, m, k);
  const std::vector<T> b = matrix_of<T>(call, 1, call.node.int_or("transB", 0) != 0, b_rows, n);
  if (b_rows != k) call.refuse("can't multiply a {} x {} by a {} x {} matrix", m, k, b_rows, n);
  const float alpha = call.node.float_or("alpha", 1.0f);
  const float beta = call.node.float_or("beta", 1.0f);

  Tensor y = new_tensor<T>({m, n});
  const std::span<T> out = y.mutable_data<T>();
  multiply_matrices(m, n, k, a.data(), b.data(), out.data());
  for (T& value : out) value = scaled(alpha, value);
  if (call.has_input(2)) {
    const Tensor bias = broadcast_input<T>(call, 2, y.shape());
    const std::span<const T> c = bias.data<T>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = multiply_add(T{1}, scaled(beta, c[i]), out[i]);
  }
  return {y};
}

}  // namespace

std::vector<Tensor> gemm(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) { return gemm_of<T>(c); });
}

}  // namespace halftone::sim::ops
