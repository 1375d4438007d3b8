// What a Session does with its model before any input shape is known.
#pragma once

#include "halftone/quant/encodings.h"
#include "halftone/transform/pass.h"

namespace halftone::runtime {

// The network with constants rounded to their grids (their encodings are gone then), biases of integer layers rounded
// to theirs, and every pass applied that leaves encoded values and taps in place.
QuantizedModel freeze(QuantizedModel model, const transform::KeepNames& taps);

}  // namespace halftone::runtime
