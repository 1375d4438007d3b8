// Ways to choose codes for the weights of one output channel, by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/ptq/rounding/quadratic.h"

namespace halftone::ptq {

// One output channel: the weights w(i) = scale(i) * steps(i) with low(i) <= steps(i) <= high(i) that make `error`
// small. All spans have error.size() elements.
struct RoundingTask {
  const Quadratic& error;
  std::span<const double> best;  // w*
  std::span<const double> scale;
  std::span<const int32_t> low, high;
  int64_t iterations = 0;  // at most, of methods that iterate
  bool pairs = true;       // descent moves two weights at a time where one doesn't help; much slower
};

struct RoundingMethod {
  std::string_view name, summary, source;
  bool learns;  // looks at `error`; otherwise the grid is left as it is
  // Fills in `steps`. Deterministic; called for several channels at once.
  void (*function)(const RoundingTask& task, std::span<int32_t> steps);
};

// The lines of methods.def.
std::span<const RoundingMethod> all_rounding_methods();
// Errors: InternalError for an unknown name.
const RoundingMethod& find_rounding_method(std::string_view name);

// The nearest step to `weight` that exists.
int32_t nearest_step(double weight, double scale, int32_t low, int32_t high);

// E of these steps. Cost: size^2 / 2.
double rounding_error(const RoundingTask& task, std::span<const int32_t> steps);

// Moves `steps` downhill, one coordinate at a time, or two (RoundingTask::pairs), until no such move makes E smaller or
// the iterations are used up; never uphill. What the methods' results are polished with when scales or targets have
// changed.
void descend(const RoundingTask& task, std::span<int32_t> steps);

}  // namespace halftone::ptq
