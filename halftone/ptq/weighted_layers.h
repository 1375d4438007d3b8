// The layers that model steps look at: those that multiply by constant weights on a grid.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/transform/layer_weights.h"

namespace halftone::ptq {

struct WeightedLayer {
  int node = -1;  // position in graph.nodes()
  std::string name;
  std::string output;  // the value that the node makes, in front of any activation
  std::string weights;
  transform::WeightLayout layout;
};

// In the network's order; those whose name matches `pattern`. Errors: Error{InvalidArgument} where a pattern other than
// "*" matches none: it is misspelt, or speaks of layers that stay float.
std::vector<WeightedLayer> weighted_layers(const QuantizedModel& model, std::string_view pattern = "*");

}  // namespace halftone::ptq
