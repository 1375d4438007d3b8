// Operators that move elements, as boxes from their inputs to their outputs: Concat, Split, Slice, Pad, Transpose.
#pragma once

#include <string>
#include <vector>

#include "halftone/runtime/lowering.h"
#include "halftone/runtime/strided_copy.h"

namespace halftone::runtime {

struct Move {
  struct Item {
    size_t input, output;
    Box box;
  };
  std::vector<Item> items;
  bool keeps_channels = true;  // axis 1 stays axis 1, so that Blocked and ChannelsLast can stay too
  bool fills = false;          // elements outside the boxes hold `fill`
  float fill = 0;
};

// The node as boxes, or why it can't be: not one of these operators, unknown shapes, operands that are not constant.
std::string find_boxes(const Lowering& lowering, const Node& node, Move& move);

// Data inputs of a node that find_boxes accepts.
inline size_t data_inputs(const Node& node) { return node.is("Concat") ? node.inputs.size() : 1; }

}  // namespace halftone::runtime
