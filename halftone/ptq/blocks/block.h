// Blocks of a network: stretches that are entered and left by a single value.
#pragma once

#include <string>
#include <vector>

#include "halftone/quant/encodings.h"

namespace halftone::ptq {

struct Block {
  std::string name;           // of its last layer
  std::string input, output;  // values
  std::vector<int> nodes;     // positions in graph.nodes(), ascending
};

// Layers to a block where nothing is added: an inverted residual without its addition has three.
constexpr int kBlockLayers = 3;

// Cuts a network wherever one value alone leads on, never between a layer and its Relu or Clip. What lies between two
// cuts is a block of its own where it holds an Add, and is put together with its neighbours otherwise, up to
// kBlockLayers layers. Stretches with operators that blocks don't know fall apart into their layers, each with the Relu
// or Clip that alone reads it. Every block holds a layer: a Conv, ConvTranspose or (of matrices) Gemm with constant
// weights; the other operators known are Relu, Clip with constant bounds, Add of two activations, Flatten and Identity.
// In the network's order; `graph` has its types. Cost: O(nodes * values that are alive).
std::vector<Block> find_blocks(const Graph& graph);

}  // namespace halftone::ptq
