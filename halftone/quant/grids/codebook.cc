#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/grid.h"
#include "halftone/quant/grids/k_means.h"

namespace halftone {

// Every slice has its own numbers; scales have nothing to say.
void append_codebook(const QuantSpec& spec, const Slice& slice, QuantParams& params) {
  if (slice.values.empty()) {
    fail(ErrorCode::InvalidArgument, "quantization", "the grid codebook requires numbers to be made of");
  }
  std::vector<float> entries = k_means_around_zero(slice.values, size_t{1} << spec.bits);
  // Slices with fewer different numbers repeat the last one; nothing is rounded to the copies.
  entries.resize(size_t{1} << spec.bits, entries.back());
  params.levels.insert(params.levels.end(), entries.begin(), entries.end());
  params.scale.push_back(1.0F);
  params.zero_point.push_back(0);
}

}  // namespace halftone
