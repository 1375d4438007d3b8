// Einsum. https://onnx.ai/onnx/operators/onnx__Einsum.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/broadcast.h"
#include "halftone/sim/ops/einsum_equation.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// Every output element is the sum, over the labels it does not have, of the operands' products, in T and in row-major
// order of those labels. Cost: the product of all labels' extents.
template <typename T>
std::vector<Tensor> einsum_of(const OpCall& call) {
  std::vector<Shape> shapes;
  std::vector<const T*> operands;
  for (size_t i = 0; i < call.input_count(); ++i) {
    operands.push_back(elements<T>(call, i).data());
    shapes.push_back(call.input(i).shape());
  }
  EinsumLoops loops = read_einsum(call, call.node.string_or("equation", ""), shapes);
  const Shape shape(loops.extents.begin(), loops.extents.begin() + static_cast<int64_t>(loops.output_rank));
  Tensor y = new_tensor<T>(shape);
  if (element_count(loops.extents) == 0) return {y};

  std::vector<int64_t> output_strides = contiguous_strides(shape);
  output_strides.resize(loops.extents.size(), 0);
  loops.strides.push_back(output_strides);
  StridedWalk walk(loops.extents, loops.strides);
  T* out = y.mutable_data<T>().data();
  do {
    T product{1};
    for (size_t i = 0; i < operands.size(); ++i) product = multiply_add(product, operands[i][walk.position(i)], T{0});
    T& sum = out[walk.position(operands.size())];
    sum = multiply_add(T{1}, product, sum);
  } while (walk.next());
  return {y};
}

}  // namespace

std::vector<Tensor> einsum(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) { return einsum_of<T>(c); });
}

}  // namespace halftone::sim::ops
