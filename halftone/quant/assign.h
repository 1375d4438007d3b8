// Which tensors of a network get a grid: decided from the network and a recipe alone, filled in after calibration.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/recipe.h"

namespace halftone {

// Values that live on one grid, because data movers hand their elements from one to the other.
struct GridGroup {
  std::vector<ValueId> values;    // all get the grid
  std::vector<ValueId> observed;  // those that have to be watched to know its range
  QuantSpec spec;
};

// A Conv, ConvTranspose, Gemm or MatMul whose constant weights get a grid.
struct WeightPlan {
  int node = -1;  // position in graph.nodes()
  // The input is None where the layer finds its range at run time.
  ValueId input = ValueId::None, weights = ValueId::None, bias = ValueId::None;
  int64_t axis = -1;  // of the output channels in the weights; -1: one scale for all
  QuantSpec spec;
};

// One range for all channels or one for each.
using ChannelRanges = std::vector<Range>;

struct QuantPlan {
  std::vector<GridGroup> groups;
  std::vector<WeightPlan> weights;
  DynamicProducts dynamic;
  // Layer or value name -> why it is left float.
  std::map<std::string, std::string> float_reasons;
  // Positions of the recipe's rules that matched nothing, or only what earlier ones had decided.
  std::vector<size_t> unused_rules;
};

// Plans the grids of `graph`, best after the passes of room transform.
//
// * Conv, ConvTranspose, Gemm and MatMul are quantized: their inputs get grids and so do their constant weights. The
//   bias needs none, see Encodings.
// * Their results get a grid when another integer node reads them. A result that only float nodes or the caller read
//   stays real: rounding it would cost accuracy and save nothing. One that both read is rounded for both.
// * Add, Mul, pools, means, data movers and functions of one operand (Sigmoid, HardSwish, Gelu ...) work in integers
//   where their operands come from integer nodes and their result goes to one. Functions with poles, roots, jumps or
//   exponential growth stay float: they could make much of half a step of their operand.
// * A Relu or Clip that alone reads such a result is absorbed: only its own result has a grid.
// * A product that the recipe makes dynamic needs no grids of its activations, and its result has none for its sake.
// * Data movers, MaxPool, Concat and Relu or Clip elsewhere share one grid between inputs and outputs.
//
// Errors: Error{InvalidModel} from shape inference, or naming a weight or bias tensor that holds infinite numbers or
// NaN. Cost: a few passes over the weights.
QuantPlan plan_quantization(const Graph& graph, const Recipe& recipe);

// Fills in the grids: ranges[i] is that of plan.groups[i], or those of its channels (axis 1); weights take theirs from
// their content. A weight scale is raised where the layer's bias would not fit int32 steps of s_input * s_weight
// otherwise, and a channel whose weights are all zero gets the scale that keeps its bias exact. A layer that the
// integer arithmetic can't take after all (an accumulator that could overflow) keeps float weights; float_reasons says
// why. Errors: Error{NumericRange} for a range that is not finite. Cost: a few passes over the weights.
QuantizedModel assign_encodings(Graph graph, const QuantPlan& plan, const std::vector<ChannelRanges>& ranges);

// How reports and float_reasons call a node: its name, or that of its first output where it has none.
std::string layer_name(const Graph& graph, const Node& node);

}  // namespace halftone
