// Bias correction: what rounding the weights does to the mean of a layer's results is taken out of the layer's bias.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "halftone/ptq/weighted_layers.h"
#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// By calibration samples: for one layer after the other in the network's order,
//
//   b += mean over samples and positions of (float result - result with rounded weights)          by output channel
//
// in front of any activation function, with the weights of this and of all earlier layers rounded, the earlier biases
// corrected, and activations in float: biases that make up for rounded activations as well fit these few samples only.
// Looks at the first `images` samples that are kept. Cost: a few passes of the network over them. Determinism: the
// number of threads makes no difference. Source: Nagel et al. 2019, section 4.2 and appendix D.
void correct_bias_empirically(Workbench& bench, std::string_view layers, int64_t images);

// Without data, from what batch normalization says of each layer's input (propagate_moments):
//
//   b -= sum over input channels and kernel of (rounded weight - weight) E[x]                      by output channel
//
// where elements of the kernel that lie over the padding at some positions count as often as they don't. Layers whose
// input nothing is known of are noted and left alone. Cost: a pass over the weights. Source: Nagel et al. 2019, section
// 4.2.1 and appendix C.
void correct_bias_analytically(Workbench& bench, std::string_view layers);

// Adds `correction`, one number per output channel, to what `layer` adds to its results in every graph given (they have
// their nodes in the same places): its bias, a new one where it has none, or the constant that the one Add behind a
// MatMul adds. Channels whose bias would not fit the int32 steps of `model`'s grids keep theirs. False, and nothing is
// changed, where the layer has no place for it.
bool add_to_bias(const QuantizedModel& model, const WeightedLayer& layer, const std::vector<double>& correction,
                 std::initializer_list<Graph*> graphs);

}  // namespace halftone::ptq
