// High-bias absorption: what a channel always has goes into the biases behind it, so that its grid need not cover it.
#pragma once

#include "halftone/graph/graph.h"
#include "halftone/quant/channel_moments.h"

namespace halftone::transform {

struct Absorption {
  Graph graph;
  NormStatistics norms;  // the means of absorbed channels are smaller by what was taken
  int64_t channels = 0;  // that something was taken from
  float largest = 0;     // what was taken at most
};

// Takes c = max(0, mean - sigmas * deviation) from each channel between a layer and its Relu (or Clip(0, high), where
// mean + sigmas * deviation <= high) and adds W c to the biases of the layers that read it: relu(x) = relu(x - c) + c
// for all x >= c. Only where every reader is a Conv or Gemm without padding, directly or behind pools and flattening
// that hand the shift on: a border of zeros would have to become one of -c.
//
// How much that changes: of normally distributed numbers, those below c become c. At 3 deviations these are 0.13 %, and
// the mean changes by 0.0004 deviations. Cost: a pass over the weights of layers that read absorbed channels.
// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1.3
// (arXiv 1906.04721).
Absorption absorb_bias(Graph graph, NormStatistics norms, double sigmas = 3);

}  // namespace halftone::transform
