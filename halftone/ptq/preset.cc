#include "halftone/ptq/preset.h"

#include <array>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::ptq {
namespace {

constexpr auto kPresets = std::to_array<Preset>({
#define HT_PRESET(name, weights, activations, steps, summary) {#name, weights, activations, steps, summary},
#include "halftone/ptq/presets.def"
#undef HT_PRESET
});

}  // namespace

std::span<const Preset> all_presets() { return kPresets; }

const Preset& find_preset(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "preset", "'{}' is none{}", name,
       nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest));
}

Recipe with_preset(Recipe recipe, const Preset& preset) {
  recipe.weights.observer = preset.weights_observer;
  recipe.activations.observer = preset.activations_observer;
  recipe.steps = parse_steps(preset.steps);
  return recipe;
}

}  // namespace halftone::ptq
