// Steps by name, and the words that they take.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "halftone/ptq/workbench.h"
#include "halftone/quant/step_request.h"

namespace halftone::ptq {

// Reads the words of a request: each step asks for those it knows, with its defaults, and then calls `finish`.
class StepWords {
 public:
  explicit StepWords(const StepRequest& request) : request_(request) {}

  // Errors: Error{InvalidArgument} for a value that is no number, not finite, or outside [least, most].
  double number(std::string_view word, double fallback, double least, double most);
  // The same for whole numbers.
  int64_t count(std::string_view word, int64_t fallback, int64_t least, int64_t most);
  bool flag(std::string_view word, bool fallback);
  // One of `choices`, the first of which is the default. Errors: Error{InvalidArgument} with the nearest choice.
  std::string choice(std::string_view word, std::span<const std::string_view> choices);
  // Patterns of layer names, as recipes write them ("*" unless given).
  std::string pattern(std::string_view word);

  // Errors: Error{InvalidArgument} for a word that nobody asked for, with the nearest one that was.
  void finish() const;

 private:
  const std::string* find(std::string_view word);
  [[noreturn]] void refuse(std::string_view word, std::string_view required, std::string_view found) const;

  const StepRequest& request_;
  std::set<std::string, std::less<>> known_;
};

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
