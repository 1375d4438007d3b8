#include "halftone/quant/levels.h"

#include "halftone/base/error.h"

namespace halftone {

Levels levels_of(const QuantParams& params, size_t index) {
  const size_t codes = params.q_max < 1 ? 0 : static_cast<size_t>(params.q_max) + 1;
  const std::span<const float> levels = params.levels;
  const bool shared = levels.size() == codes;
  if (params.q_min != 0 || codes == 0 || (!shared && levels.size() != params.scale.size() * codes)) {
    fail(ErrorCode::InvalidArgument, "quantize",
         "codes from {} to {} require as many levels, for all {} scales or for each, found {}", params.q_min,
         params.q_max, params.scale.size(), levels.size());
  }
  return {params.scale[index], shared ? levels : levels.subspan(index * codes, codes)};
}

}  // namespace halftone
