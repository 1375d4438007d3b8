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

// In the network's order; those whose name matches `pattern`.
std::vector<WeightedLayer> weighted_layers(const QuantizedModel& model, std::string_view pattern = "*");

// Of a layer's output: Conv and ConvTranspose have their channels in axis 1, Gemm and MatMul in the last.
int64_t channel_axis(const Node& node, int64_t rank);

// The sum over all positions of each channel of a layer's output, in double. Shapes: any, `axis` of it has the
// channels.
std::vector<double> channel_sums(const Tensor& value, int64_t axis);

}  // namespace halftone::ptq
