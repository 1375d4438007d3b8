#include "halftone/ptq/ranges/short_scales.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_short_scales(Workbench* bench, StepWords& words) {
  ShortScales options;
  options.activation_bits = static_cast<int>(words.count("activations", options.activation_bits, 1, 12));
  options.weight_bits = static_cast<int>(words.count("weights", options.weight_bits, 1, 12));
  options.clip = words.number("clip", options.clip, 0, 0.5);
  words.finish();
  if (bench != nullptr) shorten_scales(*bench, options);
}

}  // namespace halftone::ptq
