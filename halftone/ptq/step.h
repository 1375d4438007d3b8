// Steps by name.
#pragma once

#include <span>
#include <string_view>

#include "halftone/ptq/workbench.h"
#include "halftone/quant/step_words.h"

namespace halftone::ptq {

using halftone::StepWords;

enum class Phase {
  Graph,  // before there are grids: rewrites Workbench::reference
  Model,  // after: changes Workbench::model
};

struct Step {
  std::string_view name;
  Phase phase;
  std::string_view summary, source;
  bool needs_data;
  // Reads the words (StepWords), then works. With `bench` nullptr it only reads them, so that a mistake in the last
  // step of a recipe is told before the first one has worked for minutes.
  void (*function)(Workbench* bench, StepWords& words);
};

// The lines of steps.def.
std::span<const Step> all_steps();

// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
const Step& find_step(std::string_view name);

// Checks a whole list before any work: names, words, and that no graph step comes after a model step. Errors:
// Error{InvalidArgument} saying which two steps can't be combined, and why.
void check_steps(std::span<const StepRequest> steps);

}  // namespace halftone::ptq
