// Cross-layer equalization: channels are scaled between layers so that one grid fits all of a tensor's channels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/quant/channel_moments.h"
#include "halftone/quant/value_moments.h"

namespace halftone::transform {

// By value name: for each channel (axis 1) the smallest and the largest number that it is known or expected to hold.
using ChannelRanges = std::map<std::string, std::vector<Range>, std::less<>>;

// What is to be expected of values with these moments: `deviations` to either side of the mean, clips included. Of a
// normal distribution, 4 deviations leave out one number in 31,000 above.
ChannelRanges expected_ranges(const ValueMoments& moments, double deviations);

// The graph with all weights set to zero that read channels of which nothing but 0 is known: they do nothing, yet the
// largest of them may stretch the grid of all others. As exact as `ranges`. Cost: a pass over the weights.
Graph zero_dead_weights(Graph graph, const ChannelRanges& ranges);

// What is made equal.
enum class Balance {
  // The ranges of weights, for weights on one grid per tensor: at a channel between two layers, the largest weight that
  // makes it and the largest weight that reads it, r1 = r2 (Nagel et al. 2019, equation 11), repeated until all
  // channels of the network are.
  Weights,
  // The ranges of activations, for weights on one grid per channel: each channel is raised towards the tensor's largest
  // one, all the way where only depthwise layers read it (their other channels don't notice), else by a power.
  Activations,
  // Nothing for its own sake: factors of least predicted noise (ChannelNoise), for weights and activations on one grid
  // per tensor.
  Noise,
};

// How channels pass a Clip(0, high), which is not homogeneous at its upper bound.
enum class UpperBounds {
  Keep,        // channels that reach `high` are not scaled, others only so far that they don't
  PerChannel,  // any scale: Clip becomes Relu and Min with a constant per channel. Exact; Min is computed in float
  Replace,     // any scale: Clip becomes Relu. A change of the network, see Nagel et al. 2019, section 5.1.1
};

struct EqualizeOptions {
  Balance balance = Balance::Weights;
  UpperBounds upper_bounds = UpperBounds::Keep;
  double exponent = 0.5;  // Balance::Activations: for channels that dense layers read, 0 (not at all) to 1 (fully)
  // Known ranges, of the values in front of Clips above all. Keep: without them channels that pass a Clip are not
  // scaled. Activations: channels without any are not scaled.
  ChannelRanges ranges = {};
  ValueMoments moments = {};  // Balance::Noise: what is known of all values
  int weight_bits = 8, activation_bits = 8;
};

struct Equalization {
  Graph graph;
  // By value name: what each channel was multiplied with; values that were not scaled are left out.
  std::map<std::string, std::vector<float>, std::less<>> factors;
  int iterations = 0;  // until no factor moved by more than one part in a million (at most 200)
  // Channels that were scaled and pass a Clip whose bound stayed where it is: the function is the same only as long as
  // they stay within their known ranges.
  int64_t scaled_below_bounds = 0;
  // Balance::Noise: the predicted noise with all factors 1, and with these.
  double noise_before = 0, noise_after = 0;
};

// Scales the channels between layers (ChannelGroups says which: through Relu, pools, sums and data movers; one vector
// of factors per chain of residual sums). The network's inputs and outputs keep their scale. Channels that no weight
// makes or no weight reads (dead ones) keep theirs. A channel with several makers or readers goes by the geometric mean
// of their ranges.
//
// The function is preserved to float rounding, except with UpperBounds::Keep beyond `ranges` and with
// UpperBounds::Replace. Idempotent up to convergence.
// Errors: Error{InvalidModel} from shape inference. Cost: a pass over the weights and some tens of passes over their
// maxima by pair of channels. Deterministic.
// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1
// (arXiv 1906.04721); exponents as in Xiao et al., "SmoothQuant", 2022, equation 4 (arXiv 2211.10438).
Equalization equalize(Graph graph, const EqualizeOptions& options = {});

// Statistics of the network before, as they are after. Values that were not scaled keep theirs.
NormStatistics scale(NormStatistics norms, const Equalization& equalization);

}  // namespace halftone::transform
