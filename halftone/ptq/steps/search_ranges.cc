#include "halftone/ptq/ranges/search.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_search_ranges(Workbench* bench, StepWords& words) {
  RangeSearch options;
  options.images = words.count("images", options.images, 1, INT32_MAX);
  options.least_share = words.number("least_share", options.least_share, 0, 1);
  words.finish();
  if (bench != nullptr) search_ranges(*bench, options);
}

}  // namespace halftone::ptq
