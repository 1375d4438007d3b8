// GlobalAveragePool, GlobalMaxPool, GlobalLpPool: each plane of [N, C, spatial...] becomes one number.
#include <algorithm>
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// y[n][c] = pool(plane's elements), in the shape [N, C, 1...].
template <typename T, typename F>
std::vector<Tensor> pool_planes(const OpCall& call, F pool) {
  const Tensor& x = call.input(0);
  const Planes planes = planes_of(call, x);
  if (planes.area == 0) call.refuse("requires planes of at least one element, found {}", to_string(x.shape()));
  Shape shape(x.shape().size(), 1);
  shape[0] = planes.batch;
  shape[1] = planes.channels;
  Tensor y = new_tensor<T>(shape);
  const std::span<const T> data = elements<T>(call, 0);
  const auto area = static_cast<size_t>(planes.area);
  size_t first = 0;
  for (T& value : y.mutable_data<T>()) {
    value = pool(data.subspan(first, area));
    first += area;
  }
  return {y};
}

}  // namespace

std::vector<Tensor> global_average_pool(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return pool_planes<T>(c, [](std::span<const T> plane) {
      T sum{0};
      for (T x : plane) sum += x;
      return sum / static_cast<T>(plane.size());
    });
  });
}

std::vector<Tensor> global_max_pool(const OpCall& call) {
  return in_floating(call, []<typename T>(const OpCall& c) {
    return pool_planes<T>(c, [](std::span<const T> plane) { return *std::max_element(plane.begin(), plane.end()); });
  });
}

std::vector<Tensor> global_lp_pool(const OpCall& call) {
  const int64_t p = call.node.int_or("p", 2);
  if (p < 1) call.refuse("p must be 1 or more, found {}", p);
  return in_floating(call, [&]<typename T>(const OpCall& c) {
    const T power = static_cast<T>(p);
    return pool_planes<T>(c, [&](std::span<const T> plane) {
      T sum{0};
      for (T x : plane) sum += std::pow(std::abs(x), power);
      return std::pow(sum, T{1} / power);
    });
  });
}

}  // namespace halftone::sim::ops
