#include "halftone/ptq/ranges/search.h"
#include "halftone/ptq/step.h"

namespace halftone::ptq {

void step_search_ranges(Workbench* bench, StepWords& words) {
  RangeSearch options;
  const int64_t images = words.count("images", 0, 0, INT32_MAX);  // 0: as many as usual
  if (images > 0) options.images = images;
  options.least_share = words.number("least_share", options.least_share, 0, 1);
  words.finish();
  if (bench != nullptr) search_ranges(*bench, options);
}

}  // namespace halftone::ptq
