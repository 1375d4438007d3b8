#include <cmath>
#include <limits>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"
#include "halftone/sim/ops/rows.h"

namespace halftone::sim::ops {
namespace {

// Floats are reduced in double and rounded once, integers modulo 2^64.
DType reduction_type(DType dtype) {
  const DType arithmetic = arithmetic_type(dtype);
  return arithmetic == DType::Float ? DType::Double : arithmetic;
}

// Applies `f`, which maps a row (std::span<const T>) to a T, along the axes that the call names: all of them where it
// names none, unless that is declared to mean that there is nothing to do.
template <typename F>
std::vector<Tensor> reduce(const OpCall& call, F&& f, int64_t axes_input_since = 18) {
  const Tensor& x = call.input(0);
  std::vector<int64_t> axes = attribute_or_input(call, "axes", 1, axes_input_since, {});
  if (axes.empty()) {
    if (call.opset >= axes_input_since && call.node.int_or("noop_with_empty_axes", 0) != 0) return {x};
    axes = all_of(x.rank());
  }
  axes = normalize_axes(call, axes, x.rank());
  const Rows rows = rows_along(x.shape(), axes);
  const Shape shape = reduced_shape(x.shape(), axes, call.node.int_or("keepdims", 1) != 0);
  const DType type = reduction_type(x.dtype());
  return dispatch_arithmetic(type, [&](auto zero) {
    using T = decltype(zero);
    const Tensor ordered = take(convert(x, type), {rows.count, rows.length}, rows.index);
    Tensor result(type, check_size(shape));
    const std::span<T> out = result.mutable_data<T>();
    const auto length = static_cast<size_t>(rows.length);
    for (size_t row = 0; row < out.size(); ++row) out[row] = f(ordered.data<T>().subspan(row * length, length));
    return std::vector{convert(result, x.dtype())};
  });
}

template <typename T, typename F>
T accumulate(std::span<const T> row, T start, F&& f) {
  for (const T x : row) start = f(start, x);
  return start;
}

constexpr auto sum_of = []<typename T>(std::span<const T> row) { return accumulate(row, T{0}, wrapping_add<T>); };

constexpr auto sum_of_squares = []<typename T>(std::span<const T> row) {
  return accumulate(row, T{0}, [](T sum, T x) { return wrapping_add(sum, wrapping_mul(x, x)); });
};

// Roots and logarithms of integer reductions are truncated.
template <typename T>
T truncated(double x) {
  return convert(Tensor::scalar(x), dtype_of<T>()).template data<T>()[0];
}

// log(sum(exp(x))) without overflow: the largest term is factored out.
double log_sum_exp(std::span<const double> row) {
  const double largest = accumulate(row, -std::numeric_limits<double>::infinity(), larger<double>);
  if (std::isinf(largest) || std::isnan(largest)) return largest;
  return largest + std::log(accumulate(row, 0.0, [=](double sum, double x) { return sum + std::exp(x - largest); }));
}

// The largest (smallest) element; of no elements, the lowest (highest) value of the type.
template <typename Better>
std::vector<Tensor> reduce_to_extreme(const OpCall& call, double worst, Better&& better) {
  const DType dtype = call.input(0).dtype();
  const Tensor of_nothing = dtype == DType::Bool ? Tensor::scalar(worst > 0) : convert(Tensor::scalar(worst), dtype);
  return reduce(call, [&]<typename T>(std::span<const T> row) {
    if (row.empty()) return convert(of_nothing, dtype_of<T>()).template data<T>()[0];
    return accumulate(row.subspan(1), row[0], better);
  });
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

std::vector<Tensor> reduce_sum(const OpCall& call) {
  return reduce(call, sum_of, 13);  // took its axes as an input five opsets before the others
}

std::vector<Tensor> reduce_mean(const OpCall& call) {
  return reduce(call, [&call]<typename T>(std::span<const T> row) {
    if (std::is_integral_v<T> && row.empty()) call.refuse("integers have no mean over zero elements");
    return static_cast<T>(sum_of(row) / static_cast<T>(row.size()));
  });
}

std::vector<Tensor> reduce_max(const OpCall& call) {
  return reduce_to_extreme(call, -kInfinity, [](auto a, auto b) { return larger(a, b); });
}

std::vector<Tensor> reduce_min(const OpCall& call) {
  return reduce_to_extreme(call, kInfinity, [](auto a, auto b) { return smaller(a, b); });
}

std::vector<Tensor> reduce_prod(const OpCall& call) {
  return reduce(call, []<typename T>(std::span<const T> row) { return accumulate(row, T{1}, wrapping_mul<T>); });
}

std::vector<Tensor> reduce_l1(const OpCall& call) {
  return reduce(call, []<typename T>(std::span<const T> row) {
    return accumulate(row, T{0}, [](T sum, T x) { return wrapping_add(sum, x < 0 ? wrapping_sub(T{0}, x) : x); });
  });
}

std::vector<Tensor> reduce_l2(const OpCall& call) {
  return reduce(call, []<typename T>(std::span<const T> row) {
    return truncated<T>(std::sqrt(static_cast<double>(sum_of_squares(row))));
  });
}

std::vector<Tensor> reduce_log_sum(const OpCall& call) {
  return reduce(call, []<typename T>(std::span<const T> row) {
    return truncated<T>(std::log(static_cast<double>(sum_of(row))));
  });
}

std::vector<Tensor> reduce_log_sum_exp(const OpCall& call) {
  return reduce(call, []<typename T>(std::span<const T> row) {
    const std::vector<double> reals(row.begin(), row.end());
    return truncated<T>(log_sum_exp(reals));
  });
}

std::vector<Tensor> reduce_sum_square(const OpCall& call) { return reduce(call, sum_of_squares); }

}  // namespace halftone::sim::ops
