#include <algorithm>

#include "halftone/ptq/bits/channel_grids.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

// weights=4: so many bits on average; 0: leave weights alone; unless given as many as their grids have.
void step_allocate_bits(Workbench* bench, StepWords& words) {
  constexpr double kOwn = -1;
  const double weights = words.number("weights", kOwn, 0, 8), activations = words.number("activations", kOwn, 0, 8);
  const std::string layers = words.pattern("layers"), values = words.pattern("values");
  const int64_t images = words.count("images", 128, 1, INT32_MAX);
  words.finish();
  if (bench == nullptr) return;
  if (weights != 0) allocate_weight_bits(*bench, layers, std::max(weights, 0.0));
  if (activations != 0) allocate_activation_bits(*bench, values, std::max(activations, 0.0), images);
}

}  // namespace halftone::ptq
