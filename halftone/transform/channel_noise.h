// How much noise rounding is to add to a network, as a function of the scales of its channels, and the scales of least
// noise.
#pragma once

#include <vector>

#include "halftone/quant/value_moments.h"
#include "halftone/transform/channel_groups.h"

namespace halftone::transform {

// The sum over a network's layers of predicted noise, relative to the variance of what reads it. With the factor t of
// each channel, the moments E and V of each value, and the importance I of a channel (its readers' mean of w^2 / V of
// what they make):
//   weights on one grid per tensor      R^2 / (12 L^2) * sum over outputs o of I_o / t_o^2 * sum over inputs i of V_i
//   t_i^2
//                                       with R = max |w| t_o / t_i, L the largest code
//   activations on one grid per tensor  W^2 / (12 L^2) * sum over channels of I / t^2, W the width of what the channels
//                                       reach within 6 deviations, or of the Clip behind them
//   Clip(0, h)                          I * E[(min(x, h) - min(x, h / t))^2], for the bound stays where it is
// The Clip's term takes x as Laplace distributed, not as normal: features are rarer and higher than normal numbers, and
// with a normal tail all factors up to a bound would seem to cost nothing.
//
// Biases are taken to be corrected: what rounding adds to the mean is not counted.
class ChannelNoise {
 public:
  struct Bits {
    int weights = 8, activations = 8;
  };

  // `graph` has its shapes inferred; both are kept by reference. Cost: O(weights), 8 bytes for each.
  ChannelNoise(const Graph& graph, const ChannelGroups& groups, const ValueMoments& moments, Bits bits);

  // The sum, with one factor per group. Cost: a pass over the weights' maxima.
  double of(const std::vector<double>& factors) const;

  // Factors of least noise; those of fixed groups, and of groups that no layer makes or no layer reads, are 1. Never
  // worse than factors of 1. The sum is nearly convex in the logarithms of the factors (without Clips it is, but for
  // smooth maxima a geometric program); descent with steps that follow each factor's own gradients (Adam; Kingma and
  // Ba 2015, arXiv 1412.6980), 100 of them. Deterministic. Cost: 100 passes over the weights' maxima.
  std::vector<double> least() const;

 private:
  // Maxima are taken as norms of this power while descending, and exactly by `of`.
  static constexpr double kPower = 24;

  struct Weights {
    const ChannelGroups::Layer* layer;
    std::vector<double> largest;               // |w| between each output and input, in the tensor's order
    std::vector<double> power;                 // its power
    std::vector<double> variance, importance;  // of each input; of each output, as far as it isn't cut off
    double steps;                              // 12 L^2
  };
  struct Activation {
    ValueId value;
    std::vector<double> width;  // by channel; empty: `bound`
    double bound;
    double steps;
  };
  struct Clip {
    ValueId value;  // in front of it
    double high;
    std::vector<double> centre, tail;  // of a Laplace distribution, by channel
  };

  double noise(const std::vector<double>& factors, std::vector<double>* gradient) const;
  double of_weights(const Weights& layer, const std::vector<double>& factors, std::vector<double>* gradient) const;
  double of_activation(const Activation& value, const std::vector<double>& factors,
                       std::vector<double>* gradient) const;
  double of_clip(const Clip& clip, const std::vector<double>& factors, std::vector<double>* gradient) const;
  void weigh();
  void add_weights(const ChannelGroups::Layer& layer, Bits bits);
  void add_activation(ValueId value, double bound, Bits bits);
  const std::vector<ClippedNormal>* moments_of(ValueId id) const;
  double variance(ValueId id, int64_t channel) const;
  size_t group(ValueId id, size_t channel) const { return groups_.group(id, static_cast<int64_t>(channel)); }

  const Graph& graph_;
  const ChannelGroups& groups_;
  const ValueMoments& moments_;
  std::vector<double> importance_;  // by group
  std::vector<bool> free_;          // by group
  std::vector<Weights> weights_;
  std::vector<Activation> activations_;
  std::vector<Clip> clips_;
};

}  // namespace halftone::transform
