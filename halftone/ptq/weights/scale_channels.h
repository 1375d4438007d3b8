// Weights on a grid, scaled without leaving it.
#pragma once

#include <initializer_list>
#include <vector>

#include "halftone/ptq/weighted_layers.h"

namespace halftone::ptq {

// Whether each output channel's weights have a scale of their own that nothing else shares: then they can be multiplied
// by any factor, and their codes stay what they are.
bool has_own_scales(const QuantizedModel& model, const WeightedLayer& layer);

// Multiplies the scale of each output channel by its factor (positive) and makes the layer's weights in every graph
// given the numbers that its codes stand for then. Requires has_own_scales. Factors are held to [1/2, 2]: within these
// a bias keeps its room in the accumulator, and a statistic that asks for more was taken from nothing.
void scale_channels(QuantizedModel& model, const WeightedLayer& layer, const std::vector<double>& factors,
                    std::initializer_list<Graph*> graphs);

}  // namespace halftone::ptq
