// Einsum. https://onnx.ai/onnx/operators/onnx__Einsum.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/einsum_equation.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// Walks over all positions of nested loops, the last one fastest, and keeps for each of several tensors with strides of
// their own the place of the current element.
class StridedWalk {
 public:
  StridedWalk(Shape extents, std::vector<std::vector<int64_t>> strides)
      : extents_(std::move(extents)),
        strides_(std::move(strides)),
        index_(extents_.size(), 0),
        places_(strides_.size(), 0) {}

  int64_t place(size_t tensor) const { return places_[tensor]; }

  // The next position; false after the last one.
  bool next() {
    for (size_t loop = extents_.size(); loop-- > 0;) {
      const bool wraps = ++index_[loop] == extents_[loop];
      for (size_t t = 0; t < strides_.size(); ++t) {
        places_[t] += wraps ? -strides_[t][loop] * (extents_[loop] - 1) : strides_[t][loop];
      }
      if (!wraps) return true;
      index_[loop] = 0;
    }
    return false;
  }

 private:
  Shape extents_;
  std::vector<std::vector<int64_t>> strides_;
  std::vector<int64_t> index_, places_;
};

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
    for (size_t i = 0; i < operands.size(); ++i) product = multiply_add(product, operands[i][walk.place(i)], T{0});
    T& sum = out[walk.place(operands.size())];
    sum = multiply_add(T{1}, product, sum);
  } while (walk.next());
  return {y};
}

}  // namespace

std::vector<Tensor> einsum(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) { return einsum_of<T>(c); });
}

}  // namespace halftone::sim::ops
