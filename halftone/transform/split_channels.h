// Outlier channel splitting: input channels with outlying weights are read twice, with half the weight each.
#pragma once

#include "halftone/graph/graph.h"

namespace halftone::transform {

struct SplitOptions {
  double ratio = 0.02;  // channels added per layer, as a share of its input channels, rounded up; 0 ... 1
  int bits = 8;         // of the symmetric grid that the halves are made for
};

struct ChannelSplit {
  Graph graph;
  int layers = 0;        // that read channels twice
  int64_t channels = 0;  // that were added in all of them
};

// In every Conv and Gemm with constant weights (of one group), as often as `ratio` says: the input channel that holds
// the largest weight is read once more, and each of its weights w becomes (w - d/2) / 2 and (w + d/2) / 2, where d is
// the step of a grid of `bits` over the weights that result. The two round to codes with the sum that w rounds to, and
// the tensor's range shrinks. Layers whose range the splits do not shrink by at least a step stay as they are.
//
// The function is preserved to float rounding. Cost at run time: a Gather that copies the layer's input, and `ratio`
// more multiplications. Source: Zhao et al., "Improving Neural Network Quantization without Retraining using Outlier
// Channel Splitting", 2019, section 3 (arXiv 1901.09504).
ChannelSplit split_channels(Graph graph, const SplitOptions& options = {});

}  // namespace halftone::transform
