// The side table that makes a Graph a quantized network: the project's one currency.
#pragma once

#include <map>
#include <optional>
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

// The currency: a float network, the grids its tensors live on, and why some don't have one.
struct QuantizedModel {
  Graph graph;
  Encodings encodings;
  // Node or value name -> why it was left float; what `quantize` lists.
  std::map<std::string, std::string> float_reasons;
};

// The encoding of a value, or nullptr.
const Encoding* find_encoding(const QuantizedModel& model, ValueId id);

}  // namespace halftone
