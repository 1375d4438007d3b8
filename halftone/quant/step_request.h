// What a recipe says of a quantization step: its name and its words.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace halftone {

// One line of a recipe's "steps". What the words mean is the step's own business (ptq/steps.def).
struct StepRequest {
  std::string name;
  std::map<std::string, std::string, std::less<>> words;
  bool operator==(const StepRequest&) const = default;
};

// "correct_bias:method=analytic:cap=6": a name and its words. `kind` is what messages call the one that is named.
// Errors: Error{InvalidArgument} for an empty name, and a word without a value or given twice.
StepRequest parse_step(std::string_view text, std::string_view kind = "step");

// "equalize, correct_bias:method=analytic:cap=6" as the command line writes a list of steps. Errors: as parse_step.
std::vector<StepRequest> parse_steps(std::string_view text);

}  // namespace halftone
