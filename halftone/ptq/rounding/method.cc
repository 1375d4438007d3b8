#include "halftone/ptq/rounding/method.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::ptq {

#define HT_ROUNDING_METHOD(name, learns, summary, source) \
  void round_##name(const RoundingTask& task, std::span<int32_t> steps);
#include "halftone/ptq/rounding/methods.def"
#undef HT_ROUNDING_METHOD

namespace {

constexpr std::array kRoundingMethods = {
#define HT_ROUNDING_METHOD(name, learns, summary, source) RoundingMethod{#name, summary, source, learns, &round_##name},
#include "halftone/ptq/rounding/methods.def"
#undef HT_ROUNDING_METHOD
};

}  // namespace

std::span<const RoundingMethod> all_rounding_methods() { return kRoundingMethods; }

const RoundingMethod& find_rounding_method(std::string_view name) {
  for (const RoundingMethod& method : kRoundingMethods) {
    if (method.name == name) return method;
  }
  HT_CHECK(false, "'{}' is no rounding method", name);
}

int32_t nearest_step(double weight, double scale, int32_t low, int32_t high) {
  // Held to the grid before it is rounded, so that any number can be converted.
  return static_cast<int32_t>(
      std::nearbyint(std::clamp(weight / scale, static_cast<double>(low), static_cast<double>(high))));
}

double rounding_error(const RoundingTask& task, std::span<const int32_t> steps) {
  std::vector<double> d(steps.size());
  for (size_t i = 0; i < d.size(); ++i) d[i] = task.scale[i] * steps[i] - task.best[i];
  return task.error.error(d);
}

}  // namespace halftone::ptq
