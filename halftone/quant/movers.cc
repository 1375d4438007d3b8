#include "halftone/quant/movers.h"

#include <algorithm>
#include <array>

namespace halftone {
namespace {

template <size_t N>
bool is_one_of(const Node& node, const std::array<const char*, N>& ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* op) { return node.is(op); });
}

}  // namespace

bool keeps_all_elements(const Node& node) {
  constexpr std::array kOps = {"Concat",  "DepthToSpace", "Dropout",      "Flatten", "Identity",  "Pad",
                               "Reshape", "Split",        "SpaceToDepth", "Squeeze", "Transpose", "Unsqueeze"};
  return is_one_of(node, kOps);
}

bool moves_elements(const Node& node) {
  constexpr std::array kSome = {"Expand",        "Gather",  "GatherElements", "GatherND",
                                "GlobalMaxPool", "MaxPool", "Slice",          "Tile"};
  return keeps_all_elements(node) || is_one_of(node, kSome);
}

ValueId source_of(const Graph& graph, const GraphIndex& index, ValueId id) {
  const int producer = index.producer(id);
  if (producer < 0) return ValueId::None;
  const Node& node = graph.nodes()[static_cast<size_t>(producer)];
  return keeps_all_elements(node) && !node.is("Concat") ? node.input(0) : ValueId::None;
}

}  // namespace halftone
