#include <algorithm>
#include <limits>

#include "halftone/quant/integer_rules.h"

namespace halftone::integer_rules {
namespace {

// `count` elements are added up; multipliers for that number and for 1 must be normal.
bool finish_mean(NodeContext& c, int64_t count) {
  const int64_t reach = c.grid(0).reach();
  if (count < 1) return c.refuse("it averages no elements");
  if (reach > 0 && count > std::numeric_limits<int32_t>::max() / reach) {
    return c.refuse("sums of {} elements of up to {} could leave 32 bits", count, reach);
  }
  const double x = c.grid(0).scale, y = c.plan.outputs[0].grid->scale;
  if (!c.add_multiplier(x, 1, y) || !c.add_multiplier(x, 1, y * static_cast<double>(count))) return false;
  c.plan.outputs[0].multipliers.clear();
  return true;
}

bool finish_mean_over_axes(NodeContext& c) {
  const auto& type = c.graph().value(c.node().input(0)).type;
  int64_t count = 1;
  for (int64_t axis : c.plan.axes) {
    const int64_t dim = (*type.shape)[static_cast<size_t>(axis)].value;
    if (dim < 0) return c.refuse("the number of elements that it averages is unknown");
    if (dim > 0 && count > std::numeric_limits<int32_t>::max() / dim) return c.refuse("it averages too many elements");
    count *= dim;
  }
  return finish_mean(c, count);
}

}  // namespace

bool plan_average_pool(NodeContext& c) {
  c.plan.form = IntegerForm::WindowMean;
  if (!c.read_codes(0) || !c.find_output()) return false;
  int64_t count = 1;
  for (int64_t extent : c.node().ints_or("kernel_shape", {})) {
    if (extent < 1 || count > std::numeric_limits<int32_t>::max() / extent) {
      return c.refuse("its window has an extent of {}", extent);
    }
    count *= extent;
  }
  return finish_mean(c, count);
}

bool plan_global_average_pool(NodeContext& c) {
  c.plan.form = IntegerForm::Mean;
  if (!c.read_codes(0) || !c.find_output()) return false;
  const int64_t rank = c.rank(c.node().input(0));
  if (rank < 2) return c.refuse("the rank of its input is unknown or below 2");
  for (int64_t axis = 2; axis < rank; ++axis) c.plan.axes.push_back(axis);
  return finish_mean_over_axes(c);
}

bool plan_reduce_mean(NodeContext& c) {
  c.plan.form = IntegerForm::Mean;
  if (!c.read_codes(0) || !c.find_output()) return false;
  const Node& node = c.node();
  const int64_t rank = c.rank(node.input(0));
  if (rank < 0) return c.refuse("the rank of its input is unknown");
  std::vector<int64_t> axes = node.ints_or("axes", {});
  if (node.input(1) != ValueId::None) {
    const Tensor* constant = c.constant(1);
    if (constant == nullptr) return c.refuse("its axes are computed by the network");
    axes = to_vector<int64_t>(*constant);
  }
  if (axes.empty() && node.int_or("noop_with_empty_axes", 0) != 0) return c.refuse("it averages nothing");
  for (int64_t axis = 0; axes.empty() && axis < rank; ++axis) c.plan.axes.push_back(axis);
  for (int64_t axis : axes) c.plan.axes.push_back(normalize_axis(axis, rank));
  std::sort(c.plan.axes.begin(), c.plan.axes.end());
  c.plan.axes.erase(std::unique(c.plan.axes.begin(), c.plan.axes.end()), c.plan.axes.end());
  c.plan.keep_axes = node.int_or("keepdims", 1) != 0;
  return finish_mean_over_axes(c);
}

}  // namespace halftone::integer_rules
