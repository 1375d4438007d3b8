#include <algorithm>
#include <numeric>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"
#include "halftone/sim/ops/rows.h"

namespace halftone::sim::ops {
namespace {

// A strict weak order in which NaN is the largest number.
template <typename T>
bool before(T a, T b) {
  return a < b || (b != b && a == a);
}

}  // namespace

// The k largest (smallest) elements along an axis, best first, of equal ones the one with the lower index first; where
// the node asks for any order it gets this one.
std::vector<Tensor> top_k(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(call.node.int_or("axis", -1), x.rank());
  const int64_t k = call.opset < 10 ? call.node.int_or("k", -1) : integer_or(call, 1, -1);
  if (k < 0 || k > x.dim(axis)) call.refuse("k must lie in [0, {}], found {}", x.dim(axis), k);
  const bool largest = call.opset < 11 || call.node.int_or("largest", 1) != 0;

  const Rows rows = rows_along(x.shape(), {axis});
  Shape shape = x.shape();
  shape[static_cast<size_t>(axis)] = k;
  // The outputs seen along the same axis: result j of a row goes where the row's j-th element would be.
  const Rows out_rows = rows_along(shape, {axis});
  std::vector<int64_t> picked(out_rows.index.size());
  Tensor indices(DType::Int64, shape);
  const std::span<int64_t> out = indices.mutable_data<int64_t>();

  const DType arithmetic = arithmetic_type(x.dtype());
  dispatch_arithmetic(arithmetic, [&](auto zero) {
    const Tensor converted = convert(x, arithmetic);
    const auto values = converted.data<decltype(zero)>();
    std::vector<int64_t> order(static_cast<size_t>(rows.length));
    for (int64_t row = 0; row < rows.count; ++row) {
      const int64_t* elements = rows.index.data() + row * rows.length;
      const auto at = [&](int64_t i) { return values[static_cast<size_t>(elements[i])]; };
      std::iota(order.begin(), order.end(), int64_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return largest ? before(at(b), at(a)) : before(at(a), at(b)); });
      for (int64_t j = 0; j < k; ++j) {
        const auto to = static_cast<size_t>(out_rows.index[static_cast<size_t>(row * k + j)]);
        out[to] = order[static_cast<size_t>(j)];
        picked[to] = elements[out[to]];
      }
    }
  });
  return {take(x, shape, picked), indices};
}

}  // namespace halftone::sim::ops
