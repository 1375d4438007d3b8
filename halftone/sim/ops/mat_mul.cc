// MatMul. https://onnx.ai/onnx/operators/onnx__MatMul.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/broadcast.h"
#include "halftone/sim/ops/mat_mul_shape.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

MatMulShape read_mat_mul_shape(const OpCall& call, Shape a, Shape b) {
  if (a.empty() || b.empty()) call.refuse("requires operands of rank 1 or more, found a scalar");
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  MatMulShape shape;
  shape.m = a[a.size() - 2];
  shape.k = a[a.size() - 1];
  shape.n = b[b.size() - 1];
  if (b[b.size() - 2] != shape.k) call.refuse("can't multiply {} by {}", to_string(a), to_string(b));

  const Shape a_batch(a.begin(), a.end() - 2), b_batch(b.begin(), b.end() - 2);
  const Shape batch = broadcast(a_batch, b_batch);
  shape.a_index = strided_indices(batch, broadcast_strides(call, a_batch, batch));
  shape.b_index = strided_indices(batch, broadcast_strides(call, b_batch, batch));
  shape.output = batch;
  if (!row) shape.output.push_back(shape.m);
  if (!column) shape.output.push_back(shape.n);
  return shape;
}

std::vector<Tensor> mat_mul(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) -> std::vector<Tensor> {
    const MatMulShape shape = read_mat_mul_shape(c, c.input(0).shape(), c.input(1).shape());
    const T* a = elements<T>(c, 0).data();
    const T* b = elements<T>(c, 1).data();
    Tensor y = new_tensor<T>(shape.output);
    T* out = y.mutable_data<T>().data();
    for (size_t i = 0; i < shape.a_index.size(); ++i, out += shape.m * shape.n) {
      multiply_matrices(shape.m, shape.n, shape.k, a + shape.a_index[i] * shape.m * shape.k,
                        b + shape.b_index[i] * shape.k * shape.n, out);
    }
    return {y};
  });
}

}  // namespace halftone::sim::ops
