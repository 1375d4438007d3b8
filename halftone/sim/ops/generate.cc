#include <algorithm>
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

template <typename T>
int64_t range_length(const OpCall& call, T start, T limit, T delta) {
  if (delta == 0) call.refuse("a range must have a step other than 0");
  // In the widest floating type both 64-bit integers and their difference are exact.
  const long double length =
      std::ceil((static_cast<long double>(limit) - static_cast<long double>(start)) / static_cast<long double>(delta));
  if (!(length > 0)) return 0;
  if (length > static_cast<long double>(kMaxElements)) call.refuse("a range of {} elements is too long", length);
  return static_cast<int64_t>(length);
}

}  // namespace

// start + i * delta for i in [0, max(ceil((limit - start) / delta), 0)).
std::vector<Tensor> range(const OpCall& call) {
  for (size_t i = 0; i < 3; ++i) {
    if (call.input(i).size() != 1 || call.input(i).dtype() != call.input(0).dtype()) {
      call.refuse("start, limit and delta must be scalars of one type");
    }
  }
  const DType dtype = call.input(0).dtype();
  const DType arithmetic = arithmetic_type(dtype);
  return dispatch_arithmetic(arithmetic, [&](auto zero) {
    using T = decltype(zero);
    const auto element = [&](size_t i) { return convert(call.input(i), arithmetic).template data<T>()[0]; };
    const T start = element(0), delta = element(2);
    const int64_t length = range_length(call, start, element(1), delta);
    Tensor result(arithmetic, check_size({length}));
    const std::span<T> out = result.mutable_data<T>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = wrapping_add(start, wrapping_mul(static_cast<T>(i), delta));
    return std::vector{convert(result, dtype)};
  });
}

std::vector<Tensor> eye_like(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.rank() != 2) call.refuse("a matrix is required, found {}", to_string(x.shape()));
  const auto dtype = static_cast<DType>(call.node.int_or("dtype", static_cast<int64_t>(x.dtype())));
  const int64_t k = call.node.int_or("k", 0);
  const Tensor one = convert(Tensor::scalar(int64_t{1}), dtype);
  ElementWriter writer(dtype, x.shape());
  for (int64_t row = std::max<int64_t>(0, -std::max(k, -x.dim(0))); row < x.dim(0) && k < x.dim(1) - row; ++row) {
    writer.copy(row * x.dim(1) + row + k, one, 0);
  }
  return {std::move(writer).finish()};
}

// Indices outside [-depth, depth) give a row of off-values.
std::vector<Tensor> one_hot(const OpCall& call) {
  const std::vector<int64_t> indices = to_vector<int64_t>(call.input(0));
  const std::vector<int64_t> depths = to_vector<int64_t>(call.input(1));
  const Tensor& values = call.input(2);
  if (depths.size() != 1 || depths[0] < 1) call.refuse("depth must be one positive number");
  if (values.size() != 2) call.refuse("values must be [off, on], found {} elements", values.size());
  const int64_t depth = depths[0];

  Shape shape = call.input(0).shape();
  const int64_t rank = call.input(0).rank() + 1;
  const int64_t axis = normalize_axis(call.node.int_or("axis", -1), rank);
  shape.insert(shape.begin() + axis, depth);
  ElementWriter writer(values.dtype(), shape);
  writer.fill(values, 0);
  const int64_t inner = element_count(Shape(shape.begin() + axis + 1, shape.end()));
  for (int64_t i = 0; i < static_cast<int64_t>(indices.size()); ++i) {
    const int64_t index = indices[static_cast<size_t>(i)];
    if (index < -depth || index >= depth) continue;
    const int64_t hot = index < 0 ? index + depth : index;
    writer.copy((i / inner * depth + hot) * inner + i % inner, values, 1);
  }
  return {std::move(writer).finish()};
}

}  // namespace halftone::sim::ops
