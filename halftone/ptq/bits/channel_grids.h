// Grids with a width and a scale of their own for each channel.
#pragma once

#include <cstdint>
#include <string_view>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// Gives the channels of each layer's weights different numbers of bits (QuantParams::channel_bits), `mean_bits` on
// average (0: as many as the grid has), by the ranges that the grid's observer proposes for them; see allocate_bits.
// Layers whose output channels have no scales of their own are left alone. The integer arithmetic takes such weights as
// any others.
void allocate_weight_bits(Workbench& bench, std::string_view layers, double mean_bits);

// The same for activations: channels of axis 1 get scales and widths of their own, from the float network's values on
// the first `images` samples. Values that share a grid get it together; those that don't have the same channels are
// left alone. Layers that read such values are computed in float on the rounded numbers, which float_reasons says.
// Memory: observers of some thousand channels at a time. Determinism: the number of threads makes no difference.
void allocate_activation_bits(Workbench& bench, std::string_view values, double mean_bits, int64_t images);

}  // namespace halftone::ptq
