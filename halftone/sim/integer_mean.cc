// Means: integer sums, and one multiplication that divides and changes the grid.
#include <algorithm>

#include "halftone/sim/integer_forms.h"
#include "halftone/sim/ops/broadcast.h"
#include "halftone/sim/ops/pool_loops.h"

namespace halftone::sim {

std::vector<Tensor> integer_window_mean(const IntegerCall& c) {
  const Tensor& x = c.operands[0];
  const ops::PoolShape shape = ops::read_pool_shape(c.call, x.shape());
  const bool include_pad = c.call.node.int_or("count_include_pad", 0) != 0;
  Tensor codes(DType::Int32, shape.output);
  ops::for_each_output(shape, x.data<int32_t>().data(), codes.mutable_data<int32_t>().data(),
                       [&](const int32_t* plane, const ops::Window::Extents& o) {
                         int32_t sum = 0;
                         int64_t count = 0;
                         ops::for_each_tap(shape.window, o, [&](int64_t i) {
                           sum += plane[i];
                           ++count;
                         });
                         if (include_pad) count = ops::count_in_padded(shape.window, o);
                         // A window in the padding alone sums to 0, whatever it is divided by.
                         return c.output().requantize(sum, c.plan.mean_multiplier(std::max<int64_t>(count, 1)));
                       });
  return {codes};
}

std::vector<Tensor> integer_mean(const IntegerCall& c) {
  const Tensor& x = c.operands[0];
  Shape kept = x.shape();
  for (int64_t axis : c.plan.axes) kept[static_cast<size_t>(axis)] = 1;
  Shape shape;
  for (int64_t i = 0, next = 0; i < x.rank(); ++i) {
    const bool averaged =
        next < static_cast<int64_t>(c.plan.axes.size()) && c.plan.axes[static_cast<size_t>(next)] == i;
    next += averaged ? 1 : 0;
    if (!averaged || c.plan.keep_axes) shape.push_back(kept[static_cast<size_t>(i)]);
  }
  Tensor codes(DType::Int32, shape);
  const std::span<int32_t> to = codes.mutable_data<int32_t>();
  ops::StridedWalk walk(x.shape(), {ops::broadcast_strides(c.call, kept, x.shape())});
  for (int32_t value : x.data<int32_t>()) {
    to[static_cast<size_t>(walk.position(0))] += value;
    walk.next();
  }
  const float multiplier = c.plan.mean_multiplier(to.empty() ? 1 : x.size() / codes.size());
  for (int32_t& value : to) value = c.output().requantize(value, multiplier);
  return {codes};
}

}  // namespace halftone::sim
