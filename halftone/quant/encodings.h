// The side table that makes a Graph a quantized network: the project's one currency.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "halftone/graph/graph.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// How one tensor is quantized, and what asked for it.
struct Encoding {
  QuantParams params;
  QuantSpec spec;  // informative: the params decide
  bool operator==(const Encoding&) const = default;
};

// By value name. An activation's encoding means: right after it is computed, the value is rounded to this grid, and
// every reader sees the rounded one. A constant's encoding means the same of the constant. Biases need no entry: the
// bias of an integer convolution is int32 at scale s_input * s_weight by definition. A grid change between a value and
// one of its readers is an Identity node whose output has the other encoding.
using Encodings = std::map<std::string, Encoding, std::less<>>;

// How many grids an activation gets whose range is found while the network runs.
enum class DynamicRange {
  PerTensor,  // one
  PerRow,     // one per row of its last axis
};

// By name of the result of a Conv, Gemm or MatMul: the node rounds the activations that it reads to uint8 grids over
// their own range, found anew in every run (docs/quantization.md, section 8). PerRow speaks of the first operand of a
// matrix product; a second one that is no constant always has one grid. Other readers of these activations see them
// unrounded. Constant weights have an encoding as ever.
using DynamicProducts = std::map<std::string, DynamicRange, std::less<>>;

// The currency: a float network, the grids its tensors live on, and why some don't have one.
struct QuantizedModel {
  Graph graph;
  Encodings encodings;
  // Node or value name -> why it was left float; what `quantize` lists.
  std::map<std::string, std::string> float_reasons;
  DynamicProducts dynamic = {};

  // False for a float network.
  bool quantized() const { return !encodings.empty() || !dynamic.empty(); }
};

// The encoding of a value, or nullptr.
const Encoding* find_encoding(const QuantizedModel& model, ValueId id);

// How the node gets the grids of its activations at run time; nullopt for one that does not.
std::optional<DynamicRange> find_dynamic(const QuantizedModel& model, const Node& node);

// Names that stand for something in the model's tables; rewrites have to keep them, and what these values hold.
std::set<std::string, std::less<>> names_in_use(const QuantizedModel& model);

}  // namespace halftone
