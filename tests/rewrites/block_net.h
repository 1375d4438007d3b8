// Random networks like those that mobile devices run, whose channels differ in range by orders of magnitude.
#pragma once

#include <cstdint>

#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::test {

struct BlockNet {
  Graph graph;  // with its shapes inferred
  TensorMap inputs;
};

// A chain of 3 to 8 blocks on small images of odd sizes: inverted residuals (a dense, a depthwise and a dense
// convolution with and without a sum around them), residual units whose shortcut adds channels of zeros, branches that
// are concatenated, pools; Relu, Clip(0, 6), LeakyRelu and PRelu between them; batch normalization or biases; some dead
// channels; one matrix product at the end. Deterministic in `seed`.
BlockNet block_net(uint64_t seed);

}  // namespace halftone::test
