#include "halftone/ptq/rounding/learn.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_round(Workbench* bench, StepWords& words) {
  std::vector<std::string_view> names;
  for (const RoundingMethod& method : all_rounding_methods()) names.push_back(method.name);
  LearnOptions options;
  options.solve.method = &find_rounding_method(words.choice("method", names));
  options.layers = words.pattern("layers");
  options.images = words.count("images", options.images, 1, INT32_MAX);
  options.rows = words.count("rows", options.rows, 1, INT32_MAX);
  options.seed = static_cast<uint64_t>(words.count("seed", 0, 0, INT64_MAX));
  options.residual = words.flag("residual", options.residual);
  options.solve.iterations = words.count("iterations", options.solve.iterations, 1, INT32_MAX);
  options.solve.damping = words.number("damping", options.solve.damping, 0, 1e3);
  options.solve.clip_passes = words.count("clip_passes", options.solve.clip_passes, 0, 100);
  options.solve.search_scales = words.flag("search_scales", options.solve.search_scales);
  options.solve.refit_scales = words.flag("refit_scales", options.solve.refit_scales);
  words.finish();
  if (bench != nullptr) learn_rounding(*bench, options);
}

}  // namespace halftone::ptq
