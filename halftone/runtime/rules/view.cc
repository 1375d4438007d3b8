#include <algorithm>
#include <array>

#include "halftone/runtime/lowering.h"

namespace halftone::runtime {
namespace {

// A Transpose that channels last has done already.
bool undoes_layout(const Lowering& lowering, const Node& node) {
  if (!node.is("Transpose")) return false;
  const Place& x = lowering.held(node.inputs[0]);
  const bool channels_last =
      x.layout == Layout::ChannelsLast || (x.layout == Layout::Blocked && is_one_block(channels_of(x.shape).c));
  return !x.grid && channels_last && node.ints_or("perm", {}) == channels_last_permutation(x.shape.size());
}

}  // namespace

std::string lower_view(Lowering& lowering) {
  constexpr std::array kSameElements = {"Identity", "Dropout", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  const Node& node = lowering.node();
  const bool known =
      node.domain.empty() && std::find(kSameElements.begin(), kSameElements.end(), node.op_type) != kSameElements.end();
  const bool undone = undoes_layout(lowering, node);
  if (!known && !undone) return "no view";
  if (node.output(1) != ValueId::None) return "a second output";
  if (node.is("Dropout") && node.input(2) != ValueId::None) return "may be training";
  const ValueId x = node.input(0), y = node.output(0);
  const std::optional<Shape> shape = lowering.type(y).fixed_shape();
  if (!shape || lowering.held(x).slot >= 0) return "of unknown shape";
  Place place = undone ? lowering.held(x) : lowering.held(x).shape == *shape ? lowering.place(x) : lowering.plain(x);
  if (undone) place.layout = Layout::Plain;
  place.shape = *shape;
  lowering.define(y, place);
  return "";
}

}  // namespace halftone::runtime
