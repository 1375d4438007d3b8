// Where a network's time goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/runtime/session.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::eval {

// One step of the lowered network: a layer with all that is computed together with it, or what brings its operands
// into another form (named after the value).
struct StepTime {
  std::string name;
  double microseconds = 0;
  int note = -1;     // position in Profile::notes of the layer that the step belongs to; -1: inputs and outputs
  bool own = false;  // the layer's own step, not one that prepares it
  int64_t macs = 0;  // of the layer, on its own step; 0 for all others
};

struct Profile {
  std::vector<StepTime> steps;
  std::vector<NodeNote> notes;
};

// Enough for the least to be stable.
inline constexpr double kProfileSeconds = 0.5;

// Lowers the network for inputs of these shapes and times each step by itself on one thread: the least of as many runs
// as take `seconds`. Errors: as Session.
Profile profile(QuantizedModel model, const TensorMap& inputs, RequantizeMode mode, double seconds);

}  // namespace halftone::eval
