// Recipes by one word.
#pragma once

#include <span>
#include <string_view>

#include "halftone/quant/recipe.h"

namespace halftone::ptq {

struct Preset {
  std::string_view name, weights_observer, activations_observer, steps, summary;
};

// The lines of presets.def.
std::span<const Preset> all_presets();

// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
const Preset& find_preset(std::string_view name);

// The recipe with the preset's observers and steps in the place of its own.
Recipe with_preset(Recipe recipe, const Preset& preset);

}  // namespace halftone::ptq
