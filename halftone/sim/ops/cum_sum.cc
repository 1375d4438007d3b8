#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/parameters.h"
#include "halftone/sim/ops/rows.h"

namespace halftone::sim::ops {

std::vector<Tensor> cum_sum(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(integer_or(call, 1, 0), x.rank());
  const bool exclusive = call.node.int_or("exclusive", 0) != 0;
  const bool reverse = call.node.int_or("reverse", 0) != 0;
  const Rows rows = rows_along(x.shape(), {axis});
  const DType arithmetic = arithmetic_type(x.dtype());
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    using T = decltype(zero);
    Tensor sums = convert(x, arithmetic);
    const std::span<T> values = sums.mutable_data<T>();
    for (int64_t row = 0; row < rows.count; ++row) {
      T sum{0};
      for (int64_t i = 0; i < rows.length; ++i) {
        const int64_t step = reverse ? rows.length - 1 - i : i;
        T& element = values[static_cast<size_t>(rows.index[static_cast<size_t>(row * rows.length + step)])];
        const T with = wrapping_add(sum, element);
        element = exclusive ? sum : with;
        sum = with;
      }
    }
    return std::vector{convert(sums, x.dtype())};
  });
}

}  // namespace halftone::sim::ops
