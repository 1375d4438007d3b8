#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_correct_bias(Workbench* bench, StepWords& words) {
  constexpr std::string_view kMethods[] = {"auto", "empirical", "analytic"};
  const std::string method = words.choice("method", kMethods), layers = words.pattern("layers");
  const int64_t images = words.count("images", 128, 1, INT32_MAX);
  words.finish();
  if (bench == nullptr) return;
  if (method == "analytic" || (method == "auto" && bench->samples == nullptr))
    correct_bias_analytically(*bench, layers);
  else
    correct_bias_empirically(*bench, layers, images);
}

}  // namespace halftone::ptq
