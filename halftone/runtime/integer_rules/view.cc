// Moves after which the bytes lie as they did: the same memory under another shape, looked up where the grid changes.
#include <algorithm>
#include <array>

#include "halftone/runtime/integer_rules/code_steps.h"

namespace halftone::runtime {
namespace {

bool is_one_of(const Node& node, std::initializer_list<std::string_view> names) {
  return node.domain.empty() && std::find(names.begin(), names.end(), node.op_type) != names.end();
}

// How the codes of x are to be read as those of y, without being moved; nullopt when they can't be.
std::optional<Place> viewed(Lowering& lowering, const Node& node, const Shape& shape) {
  const ValueId x = node.inputs[0];
  const Place& held = lowering.held(x);
  if (held.shape == shape && is_one_of(node, {"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})) {
    return lowering.codes(x, natural_layout(lowering, x));
  }
  if (is_one_of(node, {"Reshape", "Flatten", "Squeeze", "Unsqueeze"})) {
    Place place = lowering.codes(x, Layout::Plain);
    place.shape = shape;
    return place;
  }
  // Channels last is what a transposition to it would make, and the other way around.
  const auto rank = static_cast<int64_t>(shape.size());
  if (!node.is("Transpose") || rank < 3) return std::nullopt;
  std::vector<int64_t> to_first = {0, rank - 1};
  for (int64_t axis = 1; axis < rank - 1; ++axis) to_first.push_back(axis);
  const std::vector<int64_t> perm = node.ints_or("perm", {});
  const bool dense = held.layout == Layout::ChannelsLast && held.pixel_stride == channels_of(held.shape).c;
  if (perm == channels_last_permutation(shape.size()) && held.grid && dense) {
    Place place = held;
    place.layout = Layout::Plain;
    place.shape = shape;
    return place;
  }
  if (perm == to_first && (!held.grid || held.layout == Layout::Plain)) {
    Place place = lowering.codes(x, Layout::Plain);
    place.layout = Layout::ChannelsLast;
    place.shape = shape;
    place.pixel_stride = shape[1];
    return place;
  }
  return std::nullopt;
}

}  // namespace

std::string lower_integer_view(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::Move || plan.outputs.size() != 1) return "no view";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const std::optional<Shape> shape = lowering.float_shape(node.outputs[0]);
  if (!shape || lowering.held(node.inputs[0]).slot >= 0) return "a shape is unknown";
  const std::optional<Place> place = viewed(lowering, node, *shape);
  if (!place) return "elements change places";
  const IntegerOutput& output = plan.outputs[0];
  const kernels::Table table = requantize_table(plan, *plan.inputs[0], output.multipliers[0]);
  define_result(lowering, add_table(lowering, *place, *output.grid, table));
  return "";
}

}  // namespace halftone::runtime
