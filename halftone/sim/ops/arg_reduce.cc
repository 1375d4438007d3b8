#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/rows.h"

namespace halftone::sim::ops {
namespace {

// The position of the element in each row that no other one beats; of equal ones the first, or the last where
// select_last_index asks for it. NaN beats nothing, and the first element is beaten only by a better one.
template <typename Better>
std::vector<Tensor> arg_extreme(const OpCall& call, Better&& better) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 0), x.rank());
  const bool last = call.node.int_or("select_last_index", 0) != 0;
  const Rows rows = rows_along(x.shape(), {axis});
  if (rows.length == 0) call.refuse("axis {} must have elements, found {}", axis, to_string(x.shape()));

  Tensor result(DType::Int64, reduced_shape(x.shape(), {axis}, call.node.int_or("keepdims", 1) != 0));
  const std::span<int64_t> out = result.mutable_data<int64_t>();
  const DType arithmetic = arithmetic_type(x.dtype());
  dispatch_arithmetic(arithmetic, [&](auto zero) {
    const Tensor converted = convert(x, arithmetic);
    const auto values = converted.data<decltype(zero)>();
    for (size_t row = 0; row < out.size(); ++row) {
      const auto at = [&](int64_t i) {
        return values[static_cast<size_t>(rows.index[row * static_cast<size_t>(rows.length) + static_cast<size_t>(i)])];
      };
      int64_t best = 0;
      for (int64_t i = 1; i < rows.length; ++i) {
        if (better(at(i), at(best)) || (last && at(i) == at(best))) best = i;
      }
      out[row] = best;
    }
  });
  return {result};
}

}  // namespace

std::vector<Tensor> arg_max(const OpCall& call) {
  return arg_extreme(call, [](auto a, auto b) { return a > b; });
}

std::vector<Tensor> arg_min(const OpCall& call) {
  return arg_extreme(call, [](auto a, auto b) { return a < b; });
}

}  // namespace halftone::sim::ops
