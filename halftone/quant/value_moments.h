// What is known of a network's values without having run it, from what batch normalization knows.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "halftone/quant/channel_moments.h"
#include "halftone/quant/observer.h"

namespace halftone {

// x = clip(z, low, high) with z normal: what a channel is taken to be.
struct ClippedNormal {
  double centre = 0, spread = 0;  // mean and deviation of z
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  // Where x is known to lie besides: the sum of two clipped numbers has bounds, but no normal number was clipped there.
  double least = -std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::infinity();

  // E[x] and sqrt(E[x^2] - E[x]^2), with a = (low - centre) / spread, b = (high - centre) / spread, Z = Phi(b) -
  // Phi(a):
  //   E[x]   = spread * (phi(a) - phi(b)) + centre * Z + low * Phi(a) + high * (1 - Phi(b))
  //   E[x^2] = (centre^2 + spread^2) * Z + spread * ((centre + low) * phi(a) - (centre + high) * phi(b))
  //            + low^2 * Phi(a) + high^2 * (1 - Phi(b))
  // Source: Nagel et al. 2019, arXiv 1906.04721, appendix C, for a two-sided clip.
  double mean() const;
  double deviation() const;

  // [centre - n * spread, centre + n * spread], as far as x reaches there.
  Range range(double n) const;
};

// By value name; one entry per channel (axis 1).
using ValueMoments = std::map<std::string, std::vector<ClippedNormal>, std::less<>>;

// Carries moments from the values that `statistics` names, and from the network's inputs, to all that can be concluded:
// * an input of the range [low, high] has even density there;
// * Relu, Clip, and Min and Max with constants move the bounds; Add, Sub, Mul and Div with constants shift and scale;
// * Add and Sub of two values take them as independent: means add, variances add, bounds add;
// * Concat joins channels; Reshape, Flatten and Squeeze keep or repeat them;
// * pools keep each channel's moments: neighbours are alike, though a mean varies less and a maximum lies higher;
// * everything else is left out, unless `statistics` names its result: layers without normalization above all.
// Statistics of names that the graph does not have, or of another number of channels, are passed over.
// Errors: Error{InvalidModel} from shape inference. Cost: O(nodes * channels).
ValueMoments propagate_moments(const Graph& graph, const NormStatistics& statistics,
                               const std::map<std::string, Range, std::less<>>& inputs = {});

}  // namespace halftone
